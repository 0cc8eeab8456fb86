// Single keys, only outside of fields; data-keys="off" on <body> turns them off.
const rows = () => [...document.querySelectorAll('#list a.conv')];
const click = sel => { const el = document.querySelector(sel); el?.click(); return !!el; };
let g = 0;

function step(by) {
  const all = rows();
  if (!all.length) return false;
  const at = all.findIndex(a => a.getAttribute('aria-current') === 'page');
  const next = all[Math.min(all.length - 1, Math.max(0, at + by))];
  next.focus();
  next.click();
  return true;
}

const keys = {
  '?': () => click('[data-key="?"]'),
  j: () => step(1),
  k: () => step(-1),
  n: () => click('[data-key="n"]'),
  e: () => click('[data-key="e"]'),
  a: () => click('[data-key="a"]'),
  r: () => { const b = document.getElementById('body'); b?.focus(); return !!b; },
};

document.addEventListener('keydown', e => {
  if (document.body.dataset.keys === 'off' || e.ctrlKey || e.metaKey || e.altKey || e.isComposing) return;
  if (e.target.closest?.('input, textarea, select, [contenteditable], dialog')) return;
  const now = Date.now();
  if (now - g < 1000) {
    g = 0;
    const to = { i: '/inbox', a: '/admin' }[e.key];
    if (to && document.querySelector(`.rail a[href="${to}"]`)) { e.preventDefault(); location.href = to; return; }
  }
  if (e.key === 'g') { g = now; return; }
  if (keys[e.key]?.()) e.preventDefault();
});
