// Files for a reply: chosen, pasted or dropped, checked here first, uploaded at once, in a row until they are sent.
import { say, polite } from './text.js';
import { toast } from './toast.js';
const on = (n, f) => document.addEventListener(n, f);
const list = () => document.getElementById('uploads');
const conversation = () => list()?.closest('form').dataset.composer;
const going = new Map(); // conversation -> the rows of uploads on their way, each with its request
const flying = id => going.get(id) || going.set(id, new Set()).get(id);
const ending = name => name.includes('.') ? name.slice(name.lastIndexOf('.')).toLowerCase() : '';
const partial = { 'HX-Request': 'true', 'HX-Request-Type': 'partial' };

// problem says why a file cannot be sent, by its name and size; the server looks at what is in it.
function problem(ul, file, n) {
  const limit = JSON.parse(ul.dataset.limits)[ending(file.name)];
  if (n >= +ul.dataset.max) return ul.dataset.tMany;
  if (!limit) return ul.dataset.tType;
  if (!file.size) return ul.dataset.tEmpty;
  if (file.size > limit) return limit === +ul.dataset.image ? ul.dataset.tImageSize : ul.dataset.tSize;
  return '';
}

function row(name) {
  const li = document.getElementById('upload-new').content.firstElementChild.cloneNode(true), b = li.querySelector('button');
  li.querySelector('.att__i').textContent = ending(name).slice(1, 5).toUpperCase();
  li.querySelector('bdi').textContent = name;
  li.dataset.name = name;
  b.setAttribute('aria-label', b.dataset.label.replace('{name}', name));
  return li;
}

function fail(li, why) {
  li.querySelector('progress')?.remove();
  li.classList.add('up--fail');
  li.querySelector('small').textContent = why;
  polite(`${li.dataset.name}: ${why}`);
}

function add(files) {
  const ul = list(); if (!ul) return;
  for (const li of ul.querySelectorAll('.up--fail')) li.remove();
  for (const file of files) {
    const li = row(file.name), why = problem(ul, file, ul.querySelectorAll('li:not(.up--fail)').length);
    ul.append(li);
    li.scrollIntoView({ block: 'nearest' });
    why ? fail(li, why) : send(ul, li, file);
  }
  hint();
}

let turn = Promise.resolve(); // one upload at a time: files arrive in the order in which they were attached
function send(ul, li, file) {
  const id = conversation(), { url, tFailed, tAdded } = ul.dataset;
  flying(id).add(li);
  turn = turn.then(() => li._dropped || new Promise(done => upload({ id, li, file, url, tFailed, tAdded }, done)));
}

function upload({ id, li, file, url, tFailed, tAdded }, done) {
  const x = li._request = new XMLHttpRequest(), form = new FormData(), bar = li.querySelector('progress');
  form.append('upload', file, file.name);
  x.open('POST', url);
  for (const h in partial) x.setRequestHeader(h, partial[h]);
  x.upload.addEventListener('progress', e => { if (e.lengthComputable) bar.value = 100 * e.loaded / e.total; });
  x.addEventListener('loadend', () => {
    done();
    flying(id).delete(li);
    if (x.status === 401) { location.href = x.getResponseHeader('HX-Redirect') || '/login'; return; }
    if (x.status === 201) arrived(id, li, x.responseText, tAdded);
    else if (!li._dropped) fail(li, sentence(x) || tFailed);
    document.dispatchEvent(new CustomEvent('uploads:changed', { detail: id }));
  });
  x.send(form);
}

// arrived puts the server's row in the place of ours; the thread may have been left or opened again meanwhile.
function arrived(id, li, html, said) {
  const t = document.createElement('template');
  t.innerHTML = html;
  const next = t.content.firstElementChild;
  if (li._dropped) { drop(list()?.dataset.url, next.dataset.file); return; }
  if (conversation() === id && !document.getElementById(next.id)) li.isConnected ? li.replaceWith(next) : list().append(next);
  li.remove();
  polite(said.replace('{name}', li.dataset.name));
}

// sentence reads what the server said about a file that it did not take.
function sentence(x) {
  if (x.status === 413) return list()?.dataset.tSize;
  const t = document.createElement('template');
  t.innerHTML = x.getResponseHeader('HX-Reswap') === 'none' ? x.responseText : '';
  return t.content.textContent.trim();
}

const drop = (url, id) => fetch(`${url}/${id}/remove`, { method: 'POST', headers: partial });

// discard takes back files that will not be sent; url is where replies go.
export const discard = (url, files) => { for (const f of files || []) drop(url.replace(/messages$/, 'files'), f.id).catch(() => {}); };

on('click', async e => {
  const b = e.target.closest('[data-unfile]'), li = b?.closest('li'), ul = list();
  if (!li || !ul) return;
  e.preventDefault();
  if (li.dataset.file) {
    try {
      const r = await drop(ul.dataset.url, li.dataset.file);
      if (!r.ok && r.status !== 404 && r.status !== 409) { toast(say('offline')); return; }
    } catch { toast(say('offline')); return; }
  } else if (flying(conversation()).delete(li)) {
    li._dropped = true; // should it have arrived already it is taken back
    li._request?.abort();
  }
  const near = li.nextElementSibling || li.previousElementSibling;
  li.remove();
  (near?.querySelector('button') || document.getElementById('attach'))?.focus();
  polite(ul.dataset.tRemoved.replace('{name}', li.dataset.name));
  hint();
  document.dispatchEvent(new CustomEvent('uploads:changed', { detail: conversation() }));
});

on('change', e => {
  if (e.target.id !== 'attach') return;
  add([...e.target.files]);
  e.target.value = '';
});

// What is copied in a program for texts often brings a picture of itself along: the text is what is meant.
on('paste', e => {
  const data = e.clipboardData;
  if (!e.target.closest?.('form[data-composer]') || !list() || !data?.files.length || data.types.includes('text/plain')) return;
  e.preventDefault();
  add([...data.files]);
});

const brings = e => list() && e.dataTransfer?.types.includes('Files') && e.target.closest?.('#thread');
const lit = yes => list()?.closest('.comp__box').classList.toggle('is-drop', yes);
on('dragover', e => { if (brings(e)) { e.preventDefault(); e.dataTransfer.dropEffect = 'copy'; lit(true); } });
on('dragleave', e => { if (!e.relatedTarget?.closest?.('#thread')) lit(false); });
on('drop', e => {
  if (!brings(e)) return;
  e.preventDefault();
  lit(false);
  add([...e.dataTransfer.files]);
  document.getElementById('body')?.focus();
});

// uploading tells whether a reply has to wait; it says so.
export function uploading(id) {
  if (!flying(id).size) return false;
  polite(list()?.dataset.tWait || '');
  return true;
}

// attached lists the files of the row. take gives them to a message and empties the row.
export const attached = () => [...list()?.querySelectorAll('li[data-file]') || []].map(li => ({ id: li.dataset.file, name: li.dataset.name }));
export function take() {
  const files = attached();
  list()?.replaceChildren();
  hint();
  return files;
}

// hide takes away the rows of files that are on their way in a message.
export const hide = files => { for (const f of files || []) document.getElementById('up-' + f.id)?.remove(); hint(); };

// again asks the server for what waits to be sent.
export async function again() {
  const f = document.querySelector('form[data-composer]'), ul = list();
  if (!ul) return;
  try {
    const r = await fetch(f.dataset.state, { headers: partial });
    if (!r.ok || list() !== ul) return;
    const t = document.createElement('template');
    t.innerHTML = await r.text();
    for (const li of t.content.querySelectorAll('#uploads > li')) if (!document.getElementById(li.id)) ul.append(li);
    hint();
  } catch { /* they are there when the thread is opened again */ }
}

// hint says when the text goes as a message of its own: WhatsApp shows none with most files.
function hint() {
  const ul = list(), p = document.getElementById('uploads-hint'), li = ul?.querySelector('li:not(.up--fail)'), body = document.getElementById('body');
  if (!p) return;
  const text = body?.value.trim() || '';
  p.hidden = !li || !text || (ul.dataset.captioned.split(',').includes(ending(li.dataset.name)) && text.length <= +ul.dataset.caption);
}
on('input', e => { if (e.target.id === 'body') hint(); });

// The pane may come again while something is on its way.
function shown() {
  const ul = list(); if (!ul) return;
  for (const li of flying(conversation())) if (!li.isConnected) ul.append(li);
  hint();
}
on('htmx:after:swap', shown);
setTimeout(shown);
