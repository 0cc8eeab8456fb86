// Composer: optimistic bubbles, one outbox per conversation that sends in order, drafts. No swap touches the text box.
import { upsert } from './thread.js';
import { toast } from './toast.js';
import { say, polite } from './text.js';
import { keep as keepTyped } from './window.js';
import { uploading, take, hide, again, discard } from './attach.js';
const on = (n, f) => document.addEventListener(n, f);
const boxes = new Map(); // conversation -> {items: [{key, text, files, url, state}], busy}
const box = id => boxes.get(id) || boxes.set(id, { items: [], busy: false }).get(id);
const user = document.body.dataset.user || '';

// What waits outlives a reload and a sign-in, for the same person only.
const store = (name, full) => { try { sessionStorage.setItem(name, JSON.stringify({ user, full })); } catch { /* it lives as long as the page */ } };
const stored = name => {
  try {
    const kept = JSON.parse(sessionStorage.getItem(name) || '{}');
    if (kept.user === user) return kept.full || {};
    if (user) sessionStorage.removeItem(name);
  } catch { /* nothing was kept */ }
  return {};
};
const keep = () => store('outbox', Object.fromEntries([...boxes].filter(([, b]) => b.items.length).map(([id, b]) => [id, b.items])));
const now = () => performance.timeOrigin + performance.now();
// typed is what was written last: conversation -> {text, bases, saved}. Until saved, when the server said that it has it,
// it may have any of bases; an answer that was asked for before saved may, too.
const typed = stored('drafts');
for (const d of Object.values(typed)) d.bases ||= [d.base]; // left by a page of an older program
let left = false; // Who left without an answer to the question has sent nothing: it is text that was typed, whatever the server has.
for (const [id, items] of Object.entries(stored('outbox'))) {
  if (!items.some(i => i.state === 'asked')) { box(id).items = items.map(i => ({ ...i, state: 'wait' })); continue; }
  left = true;
  typed[id] = { text: items.map(i => i.text).join('\n\n'), bases: [], saved: 0 };
}
if (left) { store('drafts', typed); keep(); }
const key = () => [...crypto.getRandomValues(new Uint8Array(12))].map(b => b.toString(16).padStart(2, '0')).join('');
const shown = () => document.getElementById('log')?.dataset.conversation;

// paint shows the outbox of the open conversation, also after a swap or a reload.
function paint() {
  const id = shown(); if (!id) return;
  for (const it of box(id).items) {
    let li = document.getElementById('m-' + it.key);
    if (!li) {
      li = document.getElementById('bubble-out').content.firstElementChild.cloneNode(true);
      li.id = 'm-' + it.key;
      li.querySelector('.bub__t').textContent = it.text;
      const file = li.querySelector('.bub__f');
      for (const f of it.files || []) { const one = file.cloneNode(true); one.hidden = false; one.querySelector('bdi').textContent = f.name; file.before(one); }
      file.remove();
      document.getElementById('msgs').append(li);
      const l = document.getElementById('log'); l.scrollTop = l.scrollHeight;
    }
    if (li.dataset.seq) continue; // the event was faster than our answer
    const failed = it.state === 'failed';
    li.dataset.state = it.state;
    li.querySelector('.fail').hidden = !failed;
    li.querySelector('.bub').classList.toggle('bub--fail', failed);
    li.querySelector('.st').textContent = failed ? '' : it.state === 'wait' ? say('waiting') : say('sending');
  }
  keep();
}

async function pump(id) {
  const b = box(id);
  if (b.busy) return;
  b.busy = true;
  try {
    while (b.items.length && !['failed', 'asked'].includes(b.items[0].state)) {
      const it = b.items[0];
      it.state = 'sending'; paint();
      let r, html;
      try {
        await saving.get(id); // a draft that is late would come back after its message
        r = await fetch(it.url, { method: 'POST', headers: { 'HX-Request': 'true', 'HX-Request-Type': 'partial' }, signal: AbortSignal.timeout(20000),
          body: new URLSearchParams([['body', it.text], ['client_key', it.key], ...Object.entries(it.decision || {}), ...(it.files || []).map(f => ['file', f.id])]) });
        html = await r.text();
      } catch { it.state = 'wait'; paint(); return; } // no answer: same key later, so never twice
      if (r.status === 401) { it.state = 'wait'; keep(); location.href = r.headers.get('HX-Redirect') || '/login'; return; }
      if (r.ok) { b.items.shift(); if (!typed[id]?.text) has(id, ''); keep(); if (shown() === id) await upsert(html, { stick: true }); begun(id, it.url); continue; }
      if (r.status === 422) { await refused(id, html); return; }
      if (r.headers.get('Kanal-Dialog') && shown() === id) { await ask(id, it, html); return; }
      it.state = 'failed'; paint(); // 409, 429, 5xx: the text stays in its bubble, with a way out
      if (r.headers.get('HX-Reswap') === 'none') await htmx.swap({ sourceElement: document.body, target: document.body, swap: 'none', text: html });
      else toast(say('notSent'));
    }
  } finally { b.busy = false; }
}
// refused: the window closed. The panel takes the composer's place, and all texts stay readable, also as the draft: those
// that were sent and what was typed since, wherever that stands by now.
async function refused(id, html) {
  const url = box(id).items[0].url, open = shown() === id, f = document.getElementById('composer'), text = takeBack(id);
  wrote(id, text);
  saveText(id, url.replace(/messages$/, 'draft'), text);
  if (!open) { toast(say('notSent')); return; }
  f._dirty = false;
  await htmx.swap({ sourceElement: f, target: f, swap: 'outerHTML', text: html });
  const body = document.getElementById('body');
  if (body) body.value = '';
  keepTyped(text);
}
// takeBack empties the outbox of a conversation and gives its texts, with what was begun since under them.
function takeBack(id) {
  const texts = box(id).items.splice(0).map(x => { document.getElementById('m-' + x.key)?.remove(); return x.text; });
  keep();
  return [...texts, bodyOf(id)?.value ?? typed[id]?.text ?? drafts.get(id) ?? ''].filter(t => t.trim()).join('\n\n');
}

// ask: another agent has the conversation. The dialog takes the decision to the message; closed without one, all that
// waits goes back into the box.
let asked = null; // {id, it}
async function ask(id, it, html) {
  const dlg = document.getElementById('dialog'), body = document.getElementById('dialog-body');
  if (dlg.open) dlg.close();
  it.state = 'asked'; paint();
  await htmx.swap({ sourceElement: body, target: body, swap: 'innerHTML', text: html });
  asked = { id, it };
  if (!dlg.open) dlg.showModal();
}
on('submit', e => {
  const f = e.target.closest('form[data-answer]');
  if (!f || f.elements.client_key.value !== asked?.it.key) return; // a page of its own is a form like any other
  e.preventDefault();
  const { id, it } = asked;
  asked = null;
  it.decision = { as: e.submitter?.value || '', owner: f.elements.owner.value };
  it.state = 'sending';
  document.getElementById('dialog').close();
  document.getElementById('body')?.focus();
  paint(); pump(id);
});
document.getElementById('dialog')?.addEventListener('close', () => {
  if (!asked) return;
  const { id, it } = asked, f = document.querySelector('form[data-composer]');
  asked = null;
  const text = takeBack(id);
  if (f?.dataset.composer !== id) { wrote(id, text); saveText(id, it.url.replace(/messages$/, 'draft'), text); return; }
  const ta = f.elements.body;
  again();
  ta.value = text;
  ta.dispatchEvent(new Event('input', { bubbles: true }));
  ta.focus();
});
const pumpAll = () => { for (const [id, b] of boxes) if (b.items.length) pump(id); };

on('submit', e => {
  const f = e.target.closest('form[data-composer]'); if (!f) return;
  e.preventDefault();
  const ta = f.elements.body, text = ta.value.trim(), id = f.dataset.composer;
  if (uploading(id)) { f._waits = true; return; }
  if (document.getElementById('log')?.hasAttribute('data-past')) { // the answer is the page with the newest
    save(f).then(() => saving.get(id)).finally(() => f.submit()); // a draft that is late would come back after its message
    return;
  }
  const files = take();
  if (!text && !files.length) return;
  box(id).items.push({ key: key(), text, files, url: f.getAttribute('action'), state: 'sending' });
  clearTimeout(f._draft); f._dirty = false;
  wrote(id, ''); drafts.delete(id); sent.set(id, (sent.get(id) || 0) + 1);
  ta.value = ''; ta.focus();
  count(f); paint(); pump(id);
});
// What was sent while a file was on its way goes once it is here; not when one could not be uploaded.
on('uploads:changed', e => {
  const f = document.querySelector('form[data-composer]');
  if (!f?._waits || f.dataset.composer !== e.detail || uploading(e.detail)) return;
  f._waits = false;
  if (!f.querySelector('.up--fail')) f.requestSubmit();
});
on('keydown', e => {
  const ta = e.target.closest('form[data-composer] textarea');
  if (!ta || e.key !== 'Enter' || e.isComposing || e.keyCode === 229) return;
  const newline = document.body.dataset.enter === 'newline' || matchMedia('(pointer: coarse)').matches;
  if (e.ctrlKey || e.metaKey || (!e.shiftKey && !newline)) { e.preventDefault(); if (!e.repeat) ta.form.requestSubmit(); }
});
on('click', e => {
  const li = e.target.closest('li.msg'), id = shown();
  const it = id && li && box(id).items.find(x => 'm-' + x.key === li.id);
  if (!it) return;
  if (e.target.closest('[data-retry]')) { it.state = 'sending'; paint(); pump(id); }
  if (e.target.closest('[data-drop]')) { discard(it.url, it.files); box(id).items = box(id).items.filter(x => x !== it); li.remove(); keep(); pump(id); document.getElementById('body')?.focus(); }
});

// The counter; said once when a hundred are left.
function count(f) {
  const ta = f.elements.body, shown = f.querySelector('[data-count]');
  if (shown) shown.textContent = ta.value.length;
  const few = ta.maxLength > 0 && ta.maxLength - ta.value.length <= 100;
  if (few && !f._few) polite(say('charsLeft', ta.maxLength - ta.value.length));
  f._few = few;
}

// Drafts: 800 ms after the last key; at once when the thread is swapped away or the page goes. What the server did not
// take, because the line or the login session was gone, is typed in again when the conversation is opened.
const saving = new Map(); // conversation -> its draft on the way
const drafts = new Map(); // conversation -> the text that the server has, of what is not sent
const sent = new Map(); // conversation -> how often something was sent: a draft from before is no draft any more
const forget = id => { delete typed[id]; store('drafts', typed); };
function wrote(id, text) {
  for (const x in typed) if (x !== id && typed[x].saved && typed[x].saved < now() - 60000) delete typed[x]; // no answer is on its way that long
  typed[id] = { text, bases: typed[id]?.bases || [bodyOf(id)?.defaultValue ?? ''], saved: 0 };
  store('drafts', typed);
}
function has(id, text) {
  if (typed[id]?.text === text) { typed[id].saved = now(); store('drafts', typed); }
}
const bodyOf = id => document.querySelector(`form[data-composer="${id}"]`)?.elements.body;
// begun: with a message the server puts the draft away; what was begun after the message was written is saved again.
function begun(id, url) {
  if (drafts.get(id)) saveText(id, url.replace(/messages$/, 'draft'), drafts.get(id));
}
function saveText(id, url, text, atOnce) {
  if (typed[id] && !typed[id].bases.includes(text)) { typed[id].bases = [...typed[id].bases, text].slice(-8); store('drafts', typed); }
  const send = () => fetch(url, { method: 'POST', keepalive: true, headers: { 'HX-Request-Type': 'partial' }, signal: AbortSignal.timeout(8000), body: new URLSearchParams({ body: text }) });
  const turn = sent.get(id);
  const saved = (atOnce ? send() : (saving.get(id) || Promise.resolve()).then(send))
    .then(r => { if (r.ok && sent.get(id) === turn) { drafts.set(id, text); has(id, text); } return r.ok; }).catch(() => false);
  saving.set(id, saved);
  return saved;
}
async function save(f, atOnce) {
  if (!f?._dirty) return;
  f._dirty = false;
  clearTimeout(f._draft);
  const id = f.dataset.composer;
  if (!await saveText(id, f.dataset.draft, f.elements.body.value, atOnce)) (bodyOf(id)?.form || f)._dirty = true;
}
// flush saves what is typed now. handedOver: the server takes it with another form, and puts the draft away.
export const flush = () => save(document.querySelector('form[data-composer]'));
export function handedOver() {
  const f = document.querySelector('form[data-composer]');
  if (!f) return;
  clearTimeout(f._draft); f._dirty = false;
  forget(f.dataset.composer); drafts.delete(f.dataset.composer);
}
on('input', e => {
  const f = e.target.closest('form[data-composer]');
  if (!f) return;
  count(f);
  f._dirty = true;
  wrote(f.dataset.composer, f.elements.body.value);
  clearTimeout(f._draft);
  f._draft = setTimeout(save, 800, f);
});
async function leave(f) {
  await save(f);
  await saving.get(f.dataset.composer); // it may have been on its way already
  if (drafts.get(f.dataset.composer)) document.dispatchEvent(new Event('draft:left')); // its row shows it
}

// A form or panel that has just come into the page is brought up to what this tab knows before any key can reach it. Two
// answers may come at once, and each may be older than what was typed since it was asked for.
let last = null, askedAt = performance.timeOrigin, focused = false;
on('htmx:before:request', e => { e.detail.ctx._askedAt = now(); });
on('htmx:before:swap', e => {
  arrived();
  askedAt = e.detail.ctx._askedAt || 0;
  const f = document.querySelector('form[data-composer]');
  if (!f || !e.detail.tasks.some(t => t.target?.contains?.(f))) return;
  focused = document.activeElement === f.elements.body;
  leave(f);
});
addEventListener('pagehide', () => save(document.querySelector('form[data-composer]'), true));

// current is the text that belongs where the server has put theirs: what was typed here, unless the server has had that
// and theirs is newer. What another device wrote meanwhile stands under it.
function current(id, theirs) {
  const mine = typed[id];
  if (mine?.saved && mine.saved < askedAt) forget(id);
  if (!typed[id]) return theirs;
  if (mine.saved || mine.bases.includes(theirs) || mine.text === theirs) return mine.text;
  mine.bases.push(theirs);
  return [mine.text, theirs].filter(t => t.trim()).join('\n\n');
}
function arrived() {
  const f = document.getElementById('composer');
  if (!f || f._ready) return;
  f._ready = true;
  const wasIn = focused;
  focused = false;
  if (!f.matches('form')) { keptSince(shown()); return; }
  const id = f.dataset.composer, ta = f.elements.body, theirs = ta.defaultValue, text = current(id, theirs), mine = typed[id], waits = box(id).items, before = last;
  last = f;
  if (mine) ta.value = text; // else it may hold what was typed before there was a script
  if (theirs && text === theirs) drafts.set(id, theirs);
  if (mine && !mine.saved && (text || !waits.length)) { wrote(id, text); f._dirty = true; save(f); }
  if (waits.some(i => i.text && i.text === ta.value.trim())) { ta.value = ''; drafts.delete(id); } // it is on its way already
  for (const i of waits) hide(i.files);
  count(f);
  if (wasIn) ta.focus({ preventScroll: true });
  if (wasIn && before?.dataset.composer === id) ta.setSelectionRange(before.elements.body.selectionStart, before.elements.body.selectionEnd);
}
// keptSince lets the panel show what was typed since its answer was asked for.
function keptSince(id) {
  const kept = document.getElementById('kept');
  if (!kept) return;
  kept.textContent = current(id, kept.textContent);
  document.getElementById('kept-box').hidden = !kept.textContent;
}
new MutationObserver(arrived).observe(document, { childList: true, subtree: true });
arrived();
on('thread:open', paint);
on('live:up', () => { pumpAll(); save(document.querySelector('form[data-composer]')); });
addEventListener('online', pumpAll);
setInterval(pumpAll, 5000);
