// Screen by screen, unless something is to be put right; the browser's own Back leads back.
(() => {
const f = document.getElementById('ask'), more = document.getElementById('next'), last = document.getElementById('last');
const screens = [...f.querySelectorAll('.screen')];
let at = 0;
if (f.querySelector('.alert')) return;
const after = () => screens.findIndex((s, i) => i > at && [...s.children].some(q => getComputedStyle(q).display != 'none'));
const draw = () => {
screens.forEach((s, i) => s.hidden = i != at);
more.hidden = after() < 0;
last.hidden = !more.hidden;
};
const turn = (to, back) => {
at = to;
back || history.pushState(to, '');
draw();
screens[to].focus();
scrollTo(0, 0);
};
more.addEventListener('click', () => turn(after()));
addEventListener('popstate', e => turn(e.state || 0, 1));
f.addEventListener('change', draw);
f.addEventListener('submit', e => {
if (more.hidden || e.submitter && e.submitter.name) return;
e.preventDefault();
e.stopImmediatePropagation();
turn(after());
});
addEventListener('pageshow', () => setTimeout(draw));
draw();
})();
