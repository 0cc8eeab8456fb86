// Small menus (<details class="menu">): Esc and a click elsewhere close them. Printing, and the link of a conversation.
const on = (n, f, c) => document.addEventListener(n, f, c);
const open = () => document.querySelector('details.menu[open]');
on('click', e => {
  const m = open();
  if (m && (!m.contains(e.target) || e.target.closest('a, [type=submit]'))) {
    m.open = false;
    if (m.contains(e.target)) m.querySelector('summary').focus(); // where a dialog gives the focus back to
  }
  if (e.target.closest('[data-print]')) print();
});
on('keydown', e => {
  const m = open();
  if (!m || e.key !== 'Escape' || !m.contains(document.activeElement)) return;
  e.stopPropagation();
  m.open = false;
  m.querySelector('summary').focus();
}, true);
on('focusin', e => { const m = open(); if (m && !m.contains(e.target)) m.open = false; });
on('toggle', e => {
  const link = e.target.matches?.('details.menu') && e.target.querySelector('[data-path]');
  if (link) link.textContent = location.origin + link.dataset.path;
}, true);
