// The list: live:conversation -> refetch and morph, but never under the pointer or a keyboard focus.
const on = (n, f) => document.addEventListener(n, f);
const list = () => document.getElementById('list');
const held = new Set(); // conversations that have changed meanwhile
let stale = false; // something of one's own has: no news to tell
let asked = false; // for the list, by a request that has not begun
let finger = false; // a finger leaves :hover where it was
for (const n of ['pointerover', 'pointerdown']) on(n, e => { finger = e.pointerType === 'touch'; });
const inUse = l => (!finger && l.matches(':hover')) || l.querySelector(':focus-visible');
const refresh = () => { const l = list(); if (l) { held.clear(); stale = false; asked = true; pill(); l.dispatchEvent(new Event('list:refresh')); } };
const pill = () => {
  const p = document.getElementById('list-pill');
  if (!p) return;
  p.hidden = !held.size;
  p.querySelector('span').textContent = (held.size === 1 ? p.dataset.one : p.dataset.other).replace('{n}', held.size);
};
const news = what => { const l = list(); if (!l) return; if (inUse(l)) { held.add(what); pill(); } else refresh(); };
const quietly = () => { const l = list(); if (!l) return; if (inUse(l)) stale = true; else refresh(); };
on('live:conversation', e => news(e.detail));
on('live:resync', () => news('resync'));
on('draft:left', quietly);
let fresh = true; // the page has only just come: its first stream brings no news yet
on('live:up', () => { if (fresh) quietly(); else news('resync'); fresh = false; });
on('click', e => { if (e.target.closest('#list-pill')) refresh(); });
// A request that had to wait asks for as many rows as are shown by then. With another number of rows htmx forgets the one
// that it still held back.
on('htmx:before:request', e => {
  const c = e.detail.ctx, l = list();
  if (!l || c.sourceElement !== l) return;
  asked = false;
  c.request.action = l.getAttribute('hx-get');
});
on('htmx:after:swap', e => { if (asked && e.detail.ctx.target?.id === 'list') refresh(); });
on('mouseout', e => { if ((held.size || stale) && e.target.closest?.('#list') && !list().contains(e.relatedTarget)) refresh(); });
on('focusout', () => { if (held.size || stale) setTimeout(() => { const l = list(); if (l && !inUse(l)) refresh(); }); });

// The chips count down each minute, by the server's clock; a row whose window has come into another state is fetched again.
let count;
function windows() {
  clearTimeout(count);
  const l = list(); if (!l) return;
  if (l._now !== l.dataset.now) { l._now = l.dataset.now; l._skew = Date.parse(l._now) - Date.now(); }
  let due = false, next = 60;
  for (const a of l.querySelectorAll('a[data-closes-at]')) {
    const left = (Date.parse(a.dataset.closesAt) - Date.now() - l._skew) / 1000, h = Math.floor(left / 3600), m = Math.floor(left % 3600 / 60);
    const state = left <= 0 ? 'closed' : left < 3600 ? 'last' : left < 4 * 3600 ? 'soon' : 'open', shown = a.querySelector('[data-left]');
    if (state !== a.dataset.window) due = true;
    else if (shown) shown.textContent = h > 0 ? `${h} ${l.dataset.h} ${m} ${l.dataset.m}` : `${m} ${l.dataset.m}`;
    if (left > 0) next = Math.min(next, left % 60 + 0.2);
  }
  if (due) quietly();
  count = setTimeout(windows, due ? 5000 : next * 1000);
}
on('htmx:after:swap', windows);
document.addEventListener('visibilitychange', () => { if (!document.hidden) windows(); });
setTimeout(windows);

// The current row follows the URL, whoever rendered the list.
const mark = () => {
  const l = list(); if (!l) return;
  for (const a of l.querySelectorAll('a.conv')) {
    if (a.pathname === location.pathname) { if (a.getAttribute('aria-current') !== 'page') a.setAttribute('aria-current', 'page'); } else a.removeAttribute('aria-current');
  }
  const main = document.getElementById('main');
  if (main.dataset.view) main.dataset.view = document.getElementById('log') ? 'thread' : 'list';
};
on('htmx:after:history:update', mark);
on('htmx:after:swap', mark);
window.navigation?.addEventListener('navigatesuccess', mark);
