// Small things in forms: copy, show a secret, parts that belong to a switch, the page title after a swap.
import { say, polite } from './text.js';
const on = (n, f) => document.addEventListener(n, f);

on('click', async e => {
  const copy = e.target.closest('[data-copy]');
  if (copy) {
    const from = document.querySelector(copy.dataset.copy), label = copy.querySelector('span') || copy;
    const text = from.value ?? from.textContent.trim();
    try { await navigator.clipboard.writeText(text); } catch { from.select?.(); polite(say('pressCopy')); label.textContent = say('pressCopy'); return; }
    const was = copy.dataset.label ||= label.textContent;
    label.textContent = say('copied');
    copy.classList.add('is-done');
    polite(say('copied'));
    setTimeout(() => { label.textContent = was; copy.classList.remove('is-done'); }, 2000);
  }
  const reveal = e.target.closest('[data-reveal]');
  if (reveal) {
    const f = document.querySelector(reveal.dataset.reveal), show = f.type === 'password';
    f.type = show ? 'text' : 'password';
    reveal.setAttribute('aria-pressed', show);
  }
});

// data-shows="#part": the part is there only while the switch is on. Without script it is always there.
const follow = s => { const part = document.querySelector(s.dataset.shows); if (part) part.hidden = !s.checked; };
on('change', e => { if (e.target.matches?.('[data-shows]')) follow(e.target); });
const followAll = () => document.querySelectorAll('[data-shows]').forEach(follow);
on('htmx:after:swap', followAll);
followAll();

// A form that asks to be sent when it changes.
on('change', e => { if (e.target.matches?.('[data-submits]')) e.target.form.requestSubmit(); });

// A part that refetches itself when the stream names it.
on('live:account', e => document.querySelectorAll(`[data-account="${e.detail}"]`).forEach(x => x.dispatchEvent(new Event('account:refresh'))));
for (const n of ['live:up', 'live:resync']) on(n, () => document.querySelectorAll('[data-account]').forEach(x => x.dispatchEvent(new Event('account:refresh'))));
