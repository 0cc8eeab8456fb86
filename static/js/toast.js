// Toasts: those of the page itself, and the life of all of them. One at a time; it leaves after six seconds, but not
// under the pointer or with the focus inside, and at once when the focus would be hidden beneath it.
import { polite } from './text.js';

const box = document.getElementById('toasts');
const leave = d => setTimeout(() => d.matches(':hover, :focus-within') ? leave(d) : d.remove(), 6000);

export function toast(text) {
  const d = document.createElement('div');
  d.className = 'toast';
  d.textContent = text;
  box.replaceChildren(d);
  polite(text);
}

function added(changes) {
  for (const c of changes) {
    for (const d of c.addedNodes) if (d.nodeType === 1) leave(d);
  }
  while (box.children.length > 1) box.firstElementChild.remove();
}

const covers = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

if (box) {
  new MutationObserver(added).observe(box, { childList: true });
  for (const d of box.children) leave(d);
  document.addEventListener('focusin', e => {
    const t = box.firstElementChild;
    if (t && !t.contains(e.target) && covers(t.getBoundingClientRect(), e.target.getBoundingClientRect())) t.remove();
  });
}
