// The connection check: its rows replace themselves as their checks end. The answer is lines of JSON, { id: what replaces it }.
import { polite } from './text.js';
const box = document.querySelector('[data-check]');
const ended = () => box.querySelector('#check-summary[autofocus]'); // only the last summary wants the focus

function replace(line) {
  for (const [id, html] of Object.entries(JSON.parse(line))) {
    const el = document.getElementById(id);
    if (el) el.outerHTML = html;
  }
}

async function follow() {
  const r = await fetch(box.dataset.check, { headers: { 'HX-Request-Type': 'partial' }, cache: 'no-store', redirect: 'error' });
  if (r.status === 401) { location.href = r.headers.get('HX-Redirect') || '/login'; return new Promise(() => {}); } // the page goes
  if (!r.ok) return;
  const reader = r.body.getReader(), text = new TextDecoder();
  for (let rest = ''; ;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest += text.decode(value, { stream: true })).split('\n');
    rest = lines.pop();
    lines.forEach(replace);
  }
}

// The summary gets the focus, unless somebody works elsewhere on the page by then: it is said to them.
function end() {
  if (!ended()) {
    box.querySelectorAll('[data-running]').forEach(li => li.remove());
    const summary = document.getElementById('check-summary');
    summary.replaceChildren(document.getElementById('check-cut').content.cloneNode(true));
    summary.autofocus = true;
  }
  box.removeAttribute('aria-busy');
  const a = document.activeElement;
  if (!a || a === document.body || box.contains(a)) ended().focus();
  else polite(ended().innerText.trim());
}

if (box) {
  box.hidden = false;
  follow().catch(() => {}).finally(end);
}
