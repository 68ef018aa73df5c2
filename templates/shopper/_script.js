(() => {
const f = document.getElementById('ask'), net = document.getElementById('net'), go = f.querySelector('.send');
// The device may be a store's own. What was sent waits, by its submission id, three days from its first Send, for any page that
// asks. What is typed comes back by a reload of its tab within five minutes, without who it is and as a new answer.
// A browser that keeps nothing leaves both to the page.
let tab = {}, kept = {}, text = 'open';
try { tab = sessionStorage; kept = localStorage; text = 'kept' } catch (e) {}
const own = () => 'sent ' + f.form.value, version = id => id.split('.')[1], soon = at => Date.now() - at < 3e5;
let out = {}, mine, edited, was, seen, step = 0, wait = 2e3;
const tell = (query, more) => navigator.sendBeacon(query, new URLSearchParams(more));
const note = name => f.querySelector(`[name=${name}]`) || f.insertAdjacentHTML('beforeend', `<input type="hidden" name="${name}" value="1">`);
const mark = on => on ? go.setAttribute('aria-disabled', 'true') : go.removeAttribute('aria-disabled');
const all = () => [...new FormData(f)];
const draft = typed => tab.draft = JSON.stringify([Date.now(), location.pathname, own(), typed]);
const fill = all => {
for (const [name, value] of all) if (name != 'lang') for (const i of f.querySelectorAll(`[name=${name}]`))
if (/radio|checkbox/.test(i.type)) i.checked ||= i.value == value; else if (i.type != 'submit') i.value = value;
};
const count = i => {
const n = [...i.value.trim()].length, most = +net.dataset.most, told = i.nextElementSibling;
told.textContent = n > most - 200 ? net.dataset.count.replace('{n}', n).replace('{most}', most) : '';
told.className = n > most ? 'wrong' : 'hint';
};
const say = (here, words = '') => { if (here) { mark(); net.textContent = words } };
const arrived = () => f.querySelector('h1').insertAdjacentHTML('afterend', `<p class="net" role="status">${net.dataset.sent}</p>`);
const post = async id => {
const sent = kept[id], here = mine && id == own();
// Another tab has sent it.
if (!sent) { say(here); return here && arrived() }
const [at, to, said] = JSON.parse(sent);
if (Date.now() - at > 2592e5) {
delete kept[id];
return say(here, net.dataset.again);
}
if (here) mark(1);
const r = await fetch(to, {method: 'POST', body: new URLSearchParams(said)});
if (r.status > 499 || [408, 413, 429].includes(r.status)) throw 0;
// Send was pressed once more meanwhile.
if (kept[id] != sent) return post(id);
say(here);
if (r.redirected || /404|410/.test(r.status)) delete kept[id];
if (r.redirected) {
// Only who has just sent it from this very page is led to the link of their answer.
if (!here || edited) return arrived();
delete tab.draft;
return location.href = r.url;
}
// Refused: shown to who sent it and to nobody else, by the server; it is kept until that page is there.
out[id] = 1;
if (edited) return say(here, net.dataset.again);
const theirs = id == was && soon(at) || to == f.action && /\/r\//.test(to);
if (!here && !(theirs && kept[id] && version(id) == version(own()))) return;
fill(said);
tab.shown = id;
f.submit();
};
const send = id => {
if (out[id]) return;
out[id] = 2;
const locks = navigator.locks;
(locks ? locks.request(id, () => post(id)) : post(id)).catch(() => {
say(mine && id == own(), net.dataset[text]);
clearTimeout(send.t);
send.t = setTimeout(again, wait = Math.min(wait * 2, 6e4));
}).then(() => { if (out[id] > 1) delete out[id] });
};
const again = () => Object.keys(kept).filter(id => /^sent /.test(id)).forEach(send);
// Said once, when it is left or hidden: a second request while it loads would cost the shopper's time.
document.addEventListener('visibilitychange', () => {
if (!document.hidden) return again();
if (seen) return;
seen = tell('?seen', {form: f.form.value});
if (seen) note('seen');
});
f.addEventListener('input', e => {
edited = 1;
if (e.target.type == 'textarea') count(e.target);
draft(all().filter(([name]) => !/^(form|phone|email|name)$/.test(name)));
});
// What is tapped is told, choices only: words that are not sent stay here.
f.addEventListener('change', e => {
if (!/radio|checkbox/.test(e.target.type) || e.target.name == 'contact') return;
const chosen = [...f.querySelectorAll('input:checked:not([name=contact])')].map(i => [i.name, i.value]);
if (tell('?step', [['form', f.form.value], ['lang', f.lang.value], ['step', ++step], ...chosen])) note('stepped');
});
f.addEventListener('submit', e => {
seen = 1;
if (e.submitter && e.submitter.name) return;
const id = own();
kept[id] = JSON.stringify([kept[id] ? JSON.parse(kept[id])[0] : Date.now(), f.action, all()]);
draft([]);
e.preventDefault();
mine = 1;
edited = 0;
if (out[id] == 1) delete out[id];
send(id);
});
addEventListener('online', again);
addEventListener('pageshow', e => {
if (e.persisted) { out = {}; mark() }
else {
const [at, path, id, typed] = JSON.parse(tab.draft || '[0]');
const back = /reload|back/.test((performance.getEntriesByType('navigation')[0] || 0).type);
if (back && soon(at) && path == location.pathname && version(id) == version(own())) { was = id; if (!kept[id]) fill(typed) }
else delete tab.draft;
if (f.querySelector('.alert')) delete kept[tab.shown];
delete tab.shown;
}
f.querySelectorAll('textarea').forEach(count);
again();
});
})();
