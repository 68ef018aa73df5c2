(() => {
const f = document.getElementById('ask'), net = document.getElementById('net'), key = 'sent' + location.pathname;
const store = sessionStorage, go = f.querySelector('.send');
let busy, seen, step = 0, wait = 2e3;
const tell = (query, more) => navigator.sendBeacon(query, new URLSearchParams(more));
const note = name => f.querySelector(`[name=${name}]`) || f.insertAdjacentHTML('beforeend', `<input type="hidden" name="${name}" value="1">`);
const mark = on => { busy = on; on ? go.setAttribute('aria-disabled', 'true') : go.removeAttribute('aria-disabled') };
const send = () => fetch(f.action, {method: 'POST', body: new URLSearchParams(new FormData(f))}).then(r => {
if (r.status > 499) throw 0;
store.removeItem(key);
net.textContent = '';
if (r.redirected) location.href = r.url; else f.submit();
}).catch(() => {
net.textContent = net.dataset.text;
mark(false);
clearTimeout(send.t);
send.t = setTimeout(again, wait = Math.min(wait * 2, 6e4));
});
const again = () => { if (!busy && store.getItem(key)) { mark(true); send() } };
// Said once, when it is left or hidden: a second request while it loads would cost the shopper's time.
document.addEventListener('visibilitychange', () => {
if (!document.hidden) return again();
if (seen) return;
seen = tell('?seen', {form: f.form.value});
if (seen) note('seen');
});
// What is tapped is kept, choices only: words that are not sent stay here.
f.addEventListener('change', e => {
if (!/radio|checkbox/.test(e.target.type) || e.target.name == 'contact') return;
const chosen = [...f.querySelectorAll('input:checked:not([name=contact])')].map(i => [i.name, i.value]);
if (tell('?step', [['form', f.form.value], ['lang', f.lang.value], ['step', ++step], ...chosen])) note('stepped');
});
f.addEventListener('submit', e => {
seen = 1;
if (e.submitter && e.submitter.name) return;
e.preventDefault();
if (busy) return;
mark(true);
try { store.setItem(key, JSON.stringify([...new FormData(f)])) } catch (e) {}
send();
});
addEventListener('online', again);
addEventListener('pageshow', e => {
if (e.persisted) mark(false);
const kept = JSON.parse(store.getItem(key) || '[]');
for (const [name, value] of kept) for (const i of f.querySelectorAll(`[name=${name}]`))
if (/radio|checkbox/.test(i.type)) i.checked ||= i.value == value; else if (i.type != 'submit') i.value = value;
again();
});
})();
