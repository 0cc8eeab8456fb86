// Parts of a page that follow the stream: [data-live-on="name"] is fetched again when that event comes, and after a gap.
const on = (n, f) => document.addEventListener(n, f);
const refresh = name => {
  for (const p of document.querySelectorAll(name ? `[data-live-on="${name}"]` : '[data-live-on]')) p.dispatchEvent(new Event('part:refresh'));
};
const heard = {}; // name -> when its event came last
for (const name of ['simulator', 'template']) on('live:' + name, () => { heard[name] = Date.now(); refresh(name); });
// A part that comes with a swap may have been made before an event that came while it was on its way.
const shown = new WeakSet(document.querySelectorAll('[data-live-on]'));
on('htmx:after:swap', () => {
  for (const p of document.querySelectorAll('[data-live-on]')) {
    if (shown.has(p)) continue;
    shown.add(p);
    if (Date.now() - (heard[p.dataset.liveOn] || 0) < 15000) p.dispatchEvent(new Event('part:refresh'));
  }
});
on('live:up', () => refresh());
on('live:resync', () => refresh());

// The phone of the simulator shows its newest message, unless somebody reads further up.
const phone = () => document.getElementById('phone-log');
const follow = () => { const l = phone(); if (l && !l._up) l.scrollTop = l.scrollHeight; };
document.addEventListener('scroll', e => {
  const l = e.target;
  if (l.id === 'phone-log') l._up = l.scrollHeight - l.scrollTop - l.clientHeight >= 40;
}, true);
on('htmx:after:swap', follow);
setTimeout(follow);
