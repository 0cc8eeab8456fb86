// Small things in forms: copy, show a secret, keep the old secret, parts that belong to a switch, the length of a text,
// a busy button, theme.
import { say, polite } from './text.js';
const on = (n, f, capture) => document.addEventListener(n, f, capture);
const byID = name => document.getElementById(name.replace(/^#/, ''));

// data-copy="id": the clipboard, or where the browser refuses it, the text selected and the keys to press.
async function copy(b) {
  const from = byID(b.dataset.copy), label = b.querySelector('span') || b;
  b.dataset.label ||= label.textContent;
  let said = 'copied';
  try {
    await navigator.clipboard.writeText(from.value ?? from.textContent.trim());
  } catch {
    said = 'copyFailed';
    select(from);
  }
  label.textContent = say(said);
  b.classList.toggle('is-done', said === 'copied');
  polite(say(said));
  clearTimeout(b._back);
  b._back = setTimeout(() => { label.textContent = b.dataset.label; b.classList.remove('is-done'); }, said === 'copied' ? 2000 : 6000);
}

function select(el) {
  if (el.select) { el.focus(); el.select(); return; }
  const range = document.createRange();
  range.selectNodeContents(el);
  getSelection().removeAllRanges();
  getSelection().addRange(range);
}

function reveal(b) {
  const f = byID(b.dataset.reveal), show = f.type === 'password';
  f.type = show ? 'text' : 'password';
  b.setAttribute('aria-pressed', show);
}

on('click', e => {
  const c = e.target.closest('[data-copy]'), r = e.target.closest('[data-reveal]');
  if (c) copy(c);
  if (r) reveal(r);
});

// A secret that is replaced: opening goes to the empty field, closing forgets what was typed.
on('toggle', e => {
  if (!e.target.matches?.('details[data-secret]')) return;
  const f = e.target.querySelector('input');
  if (e.target.open) f.focus(); else f.value = '';
}, true);

// data-shows="id": the part is there only while the switch is on. Without script it is always there.
const follow = s => { const part = byID(s.dataset.shows); if (part) part.hidden = !s.checked; };
const followAll = () => document.querySelectorAll('[data-shows]').forEach(follow);
on('change', e => {
  if (e.target.matches?.('[data-shows]')) follow(e.target);
  if (e.target.matches?.('[data-submits]')) e.target.form.requestSubmit();
  if (e.target.matches?.('[data-theme-choice]')) theme(e.target.value);
});
on('htmx:after:swap', followAll);
followAll();

// data-counts="id": how long the text is, of data-max characters. Said once when a hundred are left.
const counts = p => {
  const f = byID(p.dataset.counts), left = p.dataset.max - f.value.length;
  p.hidden = false;
  p.textContent = `${f.value.length} / ${p.dataset.max}`;
  p.classList.toggle('is-over', left < 0);
  if (left <= 100 && !p._few && f === document.activeElement) polite(say('charsLeft', left));
  p._few = left <= 100;
};
const countAll = () => document.querySelectorAll('[data-counts]').forEach(counts);
on('input', e => { if (e.target.id) document.querySelectorAll(`[data-counts="${CSS.escape(e.target.id)}"]`).forEach(counts); });
on('htmx:after:swap', countAll);
countAll();

// The theme is seen at once; the form keeps it.
function theme(value) {
  if (value) document.documentElement.dataset.theme = value; else delete document.documentElement.dataset.theme;
}

// data-busy on the pressed button: its words while the form is on the way.
let pressed = null;
on('submit', e => { pressed = e.submitter; }, true);
on('htmx:before:request', e => {
  const b = pressed, form = e.detail.ctx.sourceElement;
  if (!b || b.form !== form) return;
  const shown = b.classList.contains('vh') ? form.ownerDocument.querySelector(`[form="${form.id}"][data-busy]`) : b;
  if (!shown?.dataset.busy) return;
  const label = shown.querySelector('span') || shown;
  form._busyButton = { shown, label, was: label.textContent };
  label.textContent = shown.dataset.busy;
  shown.classList.add('is-busy');
  shown.setAttribute('aria-disabled', 'true');
});
on('htmx:finally:request', e => {
  const b = e.detail.ctx.sourceElement?._busyButton;
  if (!b) return;
  b.label.textContent = b.was;
  b.shown.classList.remove('is-busy');
  b.shown.removeAttribute('aria-disabled');
  delete e.detail.ctx.sourceElement._busyButton;
});

// A part that refetches itself when the stream names its account.
const refetch = sel => document.querySelectorAll(sel).forEach(x => x.dispatchEvent(new Event('account:refresh')));
on('live:account', e => refetch(`[data-account="${CSS.escape(e.detail)}"]`));
for (const n of ['live:up', 'live:resync']) on(n, () => refetch('[data-account]'));
