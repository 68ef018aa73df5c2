(() => {
const f = document.getElementById('ask'), net = document.getElementById('net'), key = 'sent' + location.pathname;
const store = sessionStorage, go = f.querySelector('.send');
let busy, seen, wait = 2e3;
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
if (seen || !document.hidden) return;
seen = navigator.sendBeacon('?seen', new URLSearchParams({form: f.form.value}));
if (seen) f.insertAdjacentHTML('beforeend', '<input type="hidden" name="seen" value="1">');
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
