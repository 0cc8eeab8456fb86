// Who else has the conversation open. The page beats while its thread can be seen; the answer is who else is there. An
// event, or the end of somebody's viewing, asks again.
import { polite } from './text.js';
const on = (n, f) => document.addEventListener(n, f);
const every = 20000, still = 8000; // a pause of eight seconds is no typing any more
let at = '', typing = false, timer, quiet, running = false, again = false;

const url = () => document.hidden ? '' : document.getElementById('log')?.dataset.viewing || '';
const post = (to, what, keepalive) => fetch(to, { method: 'POST', keepalive, headers: { 'HX-Request-Type': 'partial' },
  signal: AbortSignal.timeout(8000), body: new URLSearchParams(what) });

function show(html) {
  const old = document.getElementById('viewers'), t = document.createElement('template');
  t.innerHTML = html;
  const next = t.content.getElementById('viewers');
  if (!old || !next) return;
  const was = old.textContent.trim(), now = next.textContent.trim();
  old.replaceWith(next);
  if (now && now !== was) polite(next.querySelector('.vt').textContent);
}

async function beat() {
  if (running) { again = true; return; }
  running = true;
  try {
    do {
      again = false;
      clearTimeout(timer);
      const to = at = url();
      if (!to) return;
      try {
        const r = await post(to, typing ? { typing: 'on' } : {});
        if (r.ok && to === url()) show(await r.text());
      } catch { /* the next beat, or live:up, asks again */ }
      const gone = +document.getElementById('viewers')?.dataset.gone || every;
      clearTimeout(timer);
      timer = setTimeout(beat, Math.min(every, gone + 200));
    } while (again);
  } finally { running = false; }
}

// follow leaves the conversation that is not shown any more, and beats for the one that is.
function follow() {
  const now = url();
  if (at && at !== now) { post(at, { leaves: 'on' }, true).catch(() => {}); at = ''; typing = false; clearTimeout(quiet); }
  if (now !== at) beat();
}
function writes(is) {
  clearTimeout(quiet);
  if (is) quiet = setTimeout(writes, still, false);
  if (typing !== is) { typing = is; beat(); }
}

on('thread:open', follow);
on('htmx:after:swap', follow);
on('visibilitychange', follow);
addEventListener('pagehide', () => { if (at) post(at, { leaves: 'on' }, true).catch(() => {}); at = ''; });
addEventListener('pageshow', e => { if (e.persisted) follow(); });
on('input', e => { if (e.target.closest('form[data-composer]') && e.isTrusted) writes(e.target.value.trim() !== ''); });
on('submit', e => { if (e.target.closest('form[data-composer]')) writes(false); });
on('live:viewing', e => { if (e.detail === document.getElementById('log')?.dataset.conversation) beat(); });
on('live:up', beat);
