// Single keys, only outside of fields; data-keys="off" on <body> turns them off. A key without its control does nothing.
const rows = () => [...document.querySelectorAll('#list a.conv')];
const shown = el => el && el.checkVisibility();
const click = sel => { const el = document.querySelector(sel); if (shown(el)) { el.click(); return true; } return false; };
const focus = sel => { const el = document.querySelector(sel); el?.focus(); return !!el; };

function step(by) {
  const all = rows();
  if (!all.length) return false;
  const at = all.findIndex(a => a.getAttribute('aria-current') === 'page');
  const next = all[Math.min(all.length - 1, Math.max(0, at + by))];
  next.focus();
  next.click();
  return true;
}

const places = { i: '/inbox', a: '/admin' };
function go(key) {
  const to = places[key] && document.querySelector(`.rail a[href^="${places[key]}"]`); // supervisors begin with the templates
  if (!to) return false;
  location.href = to.href;
  return true;
}

const keys = {
  '?': () => { const d = document.getElementById('keys'); d?.showModal(); return !!d; },
  j: () => step(1),
  k: () => step(-1),
  n: () => { const f = document.getElementById('next'); f?.requestSubmit(); return !!f; },
  e: () => click('[data-key="e"]'),
  a: () => click('[data-key="a"]'),
  r: () => focus('#body'),
  '/': () => focus('[data-key="/"]'),
};

// Esc leads back to the list: on a phone it is another page, else the current row.
const back = () => click('.thread .back') || focus('#list a.conv[aria-current]');

// F6 and Shift+F6 go from pane to pane, to the first of these that is there.
const panes = [['.clist', 'a.conv[aria-current]', 'a.conv', 'a'], ['#thread', '#body', '#log', 'button'], ['#side', '.side__s']];
function pane(by) {
  const there = panes.map(([p, ...first]) => [document.querySelector(p), first]).filter(([p, first]) => shown(p) && p.querySelector(first.join()));
  if (!there.length) return false;
  const at = there.findIndex(([p]) => p.contains(document.activeElement)), n = there.length;
  const [p, first] = there[(at < 0 && by < 0 ? n - 1 : at + by + n) % n];
  first.map(s => p.querySelector(s)).find(shown)?.focus();
  return true;
}

let g = 0; // when G was pressed: the next key names a place
document.addEventListener('keydown', e => {
  if (e.isComposing || e.ctrlKey || e.metaKey || e.altKey || e.target.closest?.('dialog')) return;
  if (e.key === 'Escape') { if (!document.querySelector('dialog[open]')) back(); return; }
  if (e.key === 'F6') { if (pane(e.shiftKey ? -1 : 1)) e.preventDefault(); return; }
  if (document.body.dataset.keys === 'off' || e.target.closest?.('input, textarea, select, [contenteditable]')) return;
  const wasG = Date.now() - g < 1000;
  g = 0;
  if (wasG && go(e.key)) { e.preventDefault(); return; }
  if (e.key === 'g') { g = Date.now(); return; }
  if (keys[e.key]?.()) e.preventDefault();
});
