// The reply window counts down: each minute, in the last five each second, by the server's clock.
import { polite } from './text.js';
const on = (n, f) => document.addEventListener(n, f);
let timer, said = null; // {key, at}: what was last seen of which window

const two = n => String(n).padStart(2, '0');
function words(el, s) {
  const h = Math.floor(s / 3600), m = Math.floor(s % 3600 / 60);
  if (s < 300) return `${m}:${two(Math.floor(s % 60))}`;
  return h > 0 ? `${h} ${el.dataset.h} ${m} ${el.dataset.m}` : `${m} ${el.dataset.m}`;
}

function tick() {
  clearTimeout(timer);
  const el = document.getElementById('win');
  if (!el) return;
  el._skew ??= Date.parse(el.dataset.now) - Date.now();
  const left = (Date.parse(el.dataset.closesAt) - Date.now() - el._skew) / 1000;
  if (left <= 0) return closed(el);
  const cls = left < 3600 ? 'win--e' : left < 4 * 3600 ? 'win--w' : 'win--ok';
  el.classList.remove('win--ok', 'win--w', 'win--e');
  el.classList.add(cls);
  el.querySelector('b').textContent = words(el, left);
  el.querySelector('.wl').textContent = left < 3600 ? el.dataset.closes : el.dataset.open;
  el.querySelector('.fg')?.setAttribute('stroke-dasharray', `${Math.ceil(left / 864)} 100`);
  announce(el, left < 600 ? '10' : left < 3600 ? '60' : '', words(el, left));
  timer = setTimeout(tick, left < 301 ? 1000 : Math.min(60000, (left % 60 + 0.2) * 1000));
}

// Said once, when the last hour and the last ten minutes begin; not for a window that was opened later than that.
function announce(el, at, text) {
  const key = el.dataset.closesAt;
  if (said?.key === key && said.at !== at && at) polite(`${el.dataset.closes} ${text}`);
  said = { key, at };
}

// The server says what stands in the composer's place now.
function closed(el) {
  const f = document.getElementById('composer');
  if (!f?.dataset.state || f._asked) return;
  f._asked = true;
  polite(el.dataset.closed);
  document.dispatchEvent(new Event('thread:state'));
}

// The customer wrote while the thread is open: the window is longer, or open again; or somebody else took over.
on('thread:changed', e => {
  const el = document.getElementById('win'), f = document.getElementById('composer');
  const closes = e.detail.closes;
  if (el && closes && el.dataset.closesAt !== closes) { el.dataset.closesAt = closes; tick(); }
  if (f?.dataset.version && e.detail.version && f.dataset.version !== e.detail.version) {
    f.dataset.version = e.detail.version;
    document.dispatchEvent(new Event('thread:state'));
  }
});

// keep shows what was typed in the panel that has taken the form's place, or gives it back to a form.
export function keep(typed) {
  const kept = document.getElementById('kept'), body = document.getElementById('body');
  if (!typed) return;
  if (kept) { kept.textContent = typed; document.getElementById('kept-box').hidden = false; }
  if (body && !body.value) { body.value = typed; body.dispatchEvent(new Event('input', { bubbles: true })); }
}

// What surrounds the messages (owner, state, panel in the composer's place) is fetched again. A form that stays is not
// touched; when a panel takes its place, what was typed stands in the panel. Who was in the one is in the other.
on('thread:state', async () => {
  const f = document.getElementById('composer'), head = document.getElementById('thread-head');
  if (!f?.dataset.state) return;
  try {
    const r = await fetch(f.dataset.state, { headers: { 'HX-Request-Type': 'partial' } });
    if (!r.ok || document.getElementById('composer') !== f) return;
    const t = document.createElement('template');
    t.innerHTML = await r.text();
    const next = t.content.getElementById('composer'), h = t.content.getElementById('thread-head');
    if (f.dataset.mode !== next.dataset.mode) {
      const typed = f.elements?.body?.value || document.getElementById('kept')?.textContent || '', here = f.contains(document.activeElement);
      if (next.dataset.mode === 'closed' && !f._asked) polite(f.querySelector('#win')?.dataset.closed || '');
      await htmx.swap({ sourceElement: f, target: f, swap: 'outerHTML', text: next.outerHTML });
      keep(typed);
      if (here) document.querySelector('#composer .closed, #composer #body')?.focus({ preventScroll: true });
    } else {
      for (const part of ['#comp-owner', '#comp-said']) f.querySelector(part)?.replaceWith(next.querySelector(part));
      setTimeout(() => { f._asked = false; tick(); }, 1000); // by the server's clock the window is open a moment longer
    }
    if (h && head) await htmx.swap({ sourceElement: head, target: head, swap: 'outerMorph', text: h.outerHTML });
    const side = document.getElementById('side'), now = t.content.getElementById('side-now');
    if (side && now) await htmx.swap({ sourceElement: side, target: side, swap: 'innerMorph', text: now.innerHTML });
    tick();
  } catch { f._asked = false; f.dataset.version = ''; }
});

on('htmx:after:swap', tick);
document.addEventListener('visibilitychange', () => { if (!document.hidden) tick(); });
setTimeout(tick);
