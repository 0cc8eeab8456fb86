// The open thread: a signal means "fetch what changed since rev N"; every message is upserted by id.
import { toast } from './toast.js';
import { say } from './text.js';
const on = (n, f) => document.addEventListener(n, f);
const log = () => document.getElementById('log');
const atBottom = l => l.scrollHeight - l.scrollTop - l.clientHeight < 40;
let running = false, again = false;

export async function upsert(html, { stick } = {}) {
  const l = log(); if (!l) return;
  const ol = l.querySelector('ol'), t = document.createElement('template');
  t.innerHTML = html;
  const bottom = stick || atBottom(l);
  let fresh = 0;
  for (const li of [...t.content.children]) {
    const old = document.getElementById(li.id), seq = +li.dataset.seq;
    if (old?.matches('.day')) {
      if (seq >= +old.dataset.seq) continue;
      old.remove(); // the day begins earlier: a message came late
    } else if (old) { await htmx.swap({ sourceElement: old, target: old, swap: 'outerMorph', text: li.outerHTML }); continue; }
    const known = [...ol.children].filter(x => x.dataset.seq);
    const after = known.findLast(x => +x.dataset.seq <= seq); // a day has the seq of its first message
    if (!after && document.getElementById('older')) continue; // it is on a page that is not shown
    if (after && after === known.at(-1) && l.hasAttribute('data-past')) continue; // as is this one
    after ? after.after(li) : ol.prepend(li);
    htmx.process(li);
    if (!li.matches('.day')) fresh++;
  }
  if (bottom) l.scrollTop = l.scrollHeight;
  else if (fresh) document.getElementById('jump').hidden = false;
}

export async function refresh() {
  if (running) { again = true; return; }
  running = true;
  try {
    do {
      again = false;
      const l = log(); if (!l) return;
      const id = l.dataset.conversation;
      const r = await fetch(`/inbox/${id}/messages?since=${l.dataset.rev}`, { headers: { 'HX-Request-Type': 'partial' } });
      if (!r.ok || log() !== l) continue;
      await upsert(await r.text());
      l.dataset.rev = r.headers.get('Kanal-Rev');
      l.dataset.unread = r.headers.get('Kanal-Unread') || '0';
      document.dispatchEvent(new CustomEvent('thread:changed', { detail: { version: r.headers.get('Kanal-Version'), closes: r.headers.get('Kanal-Closes-At'), later: r.headers.get('Kanal-Later') } }));
      seen();
      if (r.headers.get('Kanal-More') === 'true') again = true;
    } while (again);
  } catch { /* the next live:up fetches the tail */ } finally { running = false; }
}
on('live:conversation', e => { if (e.detail === log()?.dataset.conversation) refresh(); });
on('live:up', refresh);
on('click', e => { if (e.target.closest('#jump')) { const l = log(); l.scrollTop = l.scrollHeight; l.focus({ preventScroll: true }); } });
on('live:resync', refresh);
// Older messages come in above; what is being read stays where it is.
async function older(link) {
  const l = log();
  if (link._busy) return;
  link._busy = true;
  try {
    const r = await fetch(link.dataset.older, { headers: { 'HX-Request': 'true', 'HX-Request-Type': 'partial' } });
    if (!r.ok || log() !== l) return;
    const t = document.createElement('template'), ol = l.querySelector('ol');
    t.innerHTML = await r.text();
    const from = l.scrollHeight - l.scrollTop, next = t.content.querySelector('.older'), lines = [...t.content.querySelectorAll('li')];
    for (const d of t.content.querySelectorAll('.day')) document.getElementById(d.id)?.remove();
    next ? link.closest('.older').replaceWith(next) : link.closest('.older').remove();
    ol.prepend(...lines);
    for (const li of lines) htmx.process(li);
    l.scrollTop = l.scrollHeight - from;
    (document.getElementById('older') || l).focus({ preventScroll: true });
  } catch { toast(say('offline')); } finally { link._busy = false; }
}
on('click', e => {
  const link = e.target.closest('#older');
  if (link && !e.ctrlKey && !e.metaKey && !e.shiftKey) { e.preventDefault(); older(link); }
});

// A message that is quoted, or named by the address: shown in the middle and marked for a moment.
function find(id) {
  const li = id && document.getElementById(id), l = log();
  if (!li || !l?.contains(li)) return false;
  l._bottom = false;
  li.tabIndex = -1;
  li.focus({ preventScroll: true });
  li.scrollIntoView({ block: 'center', behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth' });
  li.classList.remove('is-found');
  void li.offsetWidth; // the mark begins anew
  li.classList.add('is-found');
  li.addEventListener('blur', () => li.classList.remove('is-found'), { once: true });
  return true;
}
on('click', e => {
  const q = e.target.closest('a[data-quote]');
  if (q && !e.ctrlKey && !e.metaKey && !e.shiftKey && find(q.dataset.quote)) e.preventDefault();
});

document.addEventListener('scroll', e => {
  const l = e.target;
  if (l.id !== 'log') return;
  l._bottom = atBottom(l);
  if (l._bottom) document.getElementById('jump').hidden = true;
}, true);

// Who reads the newest message still sees it when a banner or the keyboard of a phone takes room.
const room = new ResizeObserver(changes => { for (const { target: l } of changes) if (l._bottom) l.scrollTop = l.scrollHeight; });

// Nothing is unread any more once the thread is visible and the window has the focus.
const seen = () => {
  const l = log();
  if (!l || l.dataset.unread === '0' || document.hidden || !document.hasFocus()) return;
  l.dataset.unread = '0';
  fetch(l.dataset.seen, { method: 'POST', headers: { 'HX-Request-Type': 'partial' } }).catch(() => { l.dataset.unread = '1'; });
};
addEventListener('focus', seen);
document.addEventListener('visibilitychange', seen);

const open = () => {
  const l = log();
  if (!l || l._open) return;
  l._open = l._bottom = true;
  if (!find(location.hash.slice(1))) l.scrollTop = l.scrollHeight;
  room.disconnect();
  room.observe(l);
  document.dispatchEvent(new Event('thread:open'));
  seen();
};
on('htmx:after:swap', open);
setTimeout(open);
