// The list: live:conversation -> refetch and morph, but never under the pointer or a keyboard focus.
const on = (n, f) => document.addEventListener(n, f);
const list = () => document.getElementById('list');
const held = new Set(); // conversations that have changed meanwhile
let stale = false; // something of one's own has: no news to tell
let finger = false; // a finger leaves :hover where it was
for (const n of ['pointerover', 'pointerdown']) on(n, e => { finger = e.pointerType === 'touch'; });
const inUse = l => (!finger && l.matches(':hover')) || l.querySelector(':focus-visible');
const refresh = () => { const l = list(); if (l) { held.clear(); stale = false; pill(); l.dispatchEvent(new Event('list:refresh')); } };
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
on('mouseout', e => { if ((held.size || stale) && e.target.closest?.('#list') && !list().contains(e.relatedTarget)) refresh(); });
on('focusout', () => { if (held.size || stale) setTimeout(() => { const l = list(); if (l && !inUse(l)) refresh(); }); });

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
