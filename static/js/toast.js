// Toasts: those of the page itself, and the life of all of them. They leave after six seconds, not under the pointer.
import { polite } from './text.js';

const leave = d => setTimeout(() => d.matches(':hover, :focus-within') ? leave(d) : d.remove(), 6000);

export function toast(text) {
  const d = document.createElement('div');
  d.className = 'toast';
  d.textContent = text;
  document.getElementById('toasts').replaceChildren(d);
  polite(text);
}

const box = document.getElementById('toasts');
if (box) {
  new MutationObserver(ms => { for (const m of ms) for (const n of m.addedNodes) if (n.nodeType === 1) { leave(n); if (box.children.length > 1) box.firstElementChild.remove(); } })
    .observe(box, { childList: true });
  for (const d of box.children) leave(d);
}
