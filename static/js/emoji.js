// Emoji: search, a grid that the arrows walk through, and the chosen one at the caret of the composer.
import { say, polite } from './text.js';
const on = (n, f) => document.addEventListener(n, f);
const shown = p => [...p.querySelectorAll('[data-emoji]')].filter(b => !b.hidden);

// Only one of the grid is a stop of Tab.
function stop(p, at) { for (const b of p.querySelectorAll('[data-emoji]')) b.tabIndex = b === at ? 0 : -1; }

on('input', e => {
  const p = e.target.id === 'emoji-search' && e.target.closest('[data-emoji-picker]');
  if (!p) return;
  const words = e.target.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const b of p.querySelectorAll('[data-emoji]')) {
    const name = b.ariaLabel.toLowerCase();
    b.hidden = b.dataset.emoji !== e.target.value.trim() && !words.every(w => name.includes(w));
  }
  const left = shown(p);
  stop(p, left[0]);
  p.querySelector('[data-emoji-none]').hidden = left.length > 0;
});

on('keydown', e => {
  const p = e.target.closest?.('[data-emoji-picker]');
  if (!p || e.isComposing) return;
  const all = shown(p), at = all.indexOf(e.target);
  if (e.target.id === 'emoji-search') {
    if (e.key === 'Enter') { e.preventDefault(); all[0]?.click(); }
    if (e.key === 'ArrowDown') { e.preventDefault(); all[0]?.focus(); }
    return;
  }
  if (at < 0) return;
  const row = all.filter(b => b.offsetTop === all[0].offsetTop).length;
  const rtl = getComputedStyle(p).direction === 'rtl' ? -1 : 1;
  const to = { ArrowRight: at + rtl, ArrowLeft: at - rtl, ArrowDown: at + row, ArrowUp: at - row, Home: 0, End: all.length - 1 }[e.key];
  if (to == null) return;
  e.preventDefault();
  if (to < 0 && e.key === 'ArrowUp') { document.getElementById('emoji-search').focus(); return; }
  const next = all[Math.min(all.length - 1, Math.max(0, to))];
  stop(p, next);
  next.focus();
});

let caret = null; // where it was when the picker was opened: the dialog's focus takes it away
on('click', e => {
  const b = e.target.closest('[data-emoji]'), ta = document.getElementById('body');
  if (ta && e.target.closest('#emoji-open')) caret = [ta.selectionStart, ta.selectionEnd];
  if (!b || !ta) return;
  e.preventDefault();
  b.closest('dialog')?.close();
  ta.focus();
  if (caret) ta.setSelectionRange(...caret);
  caret = null;
  const room = ta.maxLength - ta.value.length + (ta.selectionEnd - ta.selectionStart);
  if (ta.maxLength > 0 && b.dataset.emoji.length > room) { polite(say('charsLeft', Math.max(room, 0))); return; }
  ta.setRangeText(b.dataset.emoji, ta.selectionStart, ta.selectionEnd, 'end');
  ta.dispatchEvent(new Event('input', { bubbles: true }));
});
