(() => {
const f = document.getElementById('ask'), net = document.getElementById('net'), go = f.querySelector('.send');
// What was sent waits, by its submission id and for three days, for any page that asks; what is typed stays in its tab.
// A browser that keeps nothing leaves both to the page.
let tab = {}, kept = {}, text = 'open';
try { tab = sessionStorage; kept = localStorage; text = 'kept' } catch (e) {}
const draft = 'typed' + location.pathname, own = () => 'sent ' + f.form.value;
let out = {}, waits, seen, step = 0, wait = 2e3;
const tell = (query, more) => navigator.sendBeacon(query, new URLSearchParams(more));
const note = name => f.querySelector(`[name=${name}]`) || f.insertAdjacentHTML('beforeend', `<input type="hidden" name="${name}" value="1">`);
const mark = on => on ? go.setAttribute('aria-disabled', 'true') : go.removeAttribute('aria-disabled');
const keep = sends => {
const all = [...new FormData(f)];
tab[draft] = JSON.stringify(all);
if (sends) kept[own()] = JSON.stringify([Date.now(), f.action, all]);
};
const fill = all => {
for (const [name, value] of all) if (name != 'lang') for (const i of f.querySelectorAll(`[name=${name}]`))
if (/radio|checkbox/.test(i.type)) i.checked ||= i.value == value; else if (i.type != 'submit') i.value = value;
};
const count = i => {
const n = [...i.value.trim()].length, most = +net.dataset.most, told = i.nextElementSibling;
told.textContent = n > most - 200 ? net.dataset.count.replace('{n}', n).replace('{most}', most) : '';
told.className = n > most ? 'wrong' : 'hint';
};
const send = id => {
const [at, to, all] = JSON.parse(kept[id]), mine = id == own();
if (Date.now() - at > 2592e5) return delete kept[id];
if (out[id]) return;
out[id] = 1;
if (mine) mark(1);
fetch(to, {method: 'POST', body: new URLSearchParams(all)}).then(r => {
if (r.status > 499) throw 0;
// What another tab sent may be another person's: it is shown only where it must be put right, on its own page.
if (!mine && !r.redirected && (to != f.action || tab[draft])) return;
delete kept[id];
if (!mine && r.redirected) return f.querySelector('h1').insertAdjacentHTML('afterend', `<p class="net" role="status">${net.dataset.sent}</p>`);
if (!mine) fill(all);
delete tab[draft];
waits = 0;
net.textContent = '';
if (r.redirected) location.href = r.url; else f.submit();
}).catch(() => {
delete out[id];
if (mine) { waits = 1; mark(); net.textContent = net.dataset[text] }
clearTimeout(send.t);
send.t = setTimeout(again, wait = Math.min(wait * 2, 6e4));
});
};
const again = () => {
if (waits) keep(1);
Object.keys(kept).filter(id => /^sent /.test(id)).forEach(send);
};
// Said once, when it is left or hidden: a second request while it loads would cost the shopper's time.
document.addEventListener('visibilitychange', () => {
if (!document.hidden) return again();
if (seen) return;
seen = tell('?seen', {form: f.form.value});
if (seen) note('seen');
});
f.addEventListener('input', e => { keep(); if (e.target.type == 'textarea') count(e.target) });
// What is tapped is told, choices only: words that are not sent stay here.
f.addEventListener('change', e => {
if (!/radio|checkbox/.test(e.target.type) || e.target.name == 'contact') return;
const chosen = [...f.querySelectorAll('input:checked:not([name=contact])')].map(i => [i.name, i.value]);
if (tell('?step', [['form', f.form.value], ['lang', f.lang.value], ['step', ++step], ...chosen])) note('stepped');
});
f.addEventListener('submit', e => {
seen = 1;
if (e.submitter && e.submitter.name) return;
keep(1);
e.preventDefault();
send(own());
});
addEventListener('online', again);
addEventListener('pageshow', e => {
if (e.persisted) { out = {}; mark() }
fill(JSON.parse(tab[draft] || '[]'));
waits = own() in kept;
f.querySelectorAll('textarea').forEach(count);
again();
});
})();
