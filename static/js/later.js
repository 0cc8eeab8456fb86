// Send later: what is typed and attached goes into the dialog that gives it a time; the list under the thread follows its version.
import { attached, uploading } from './attach.js';
import { flush, handedOver } from './composer.js';
import { toast } from './toast.js';
import { say } from './text.js';
const on = (n, f) => document.addEventListener(n, f);

on('click', async e => {
  const b = e.target.closest('[data-later]'), f = b?.form;
  if (!f) return;
  e.preventDefault();
  if (uploading(f.dataset.composer)) return;
  try {
    await flush();
    const r = await fetch(b.formAction, { method: 'POST', headers: { 'HX-Request': 'true', 'HX-Request-Type': 'partial' },
      signal: AbortSignal.timeout(8000), body: new URLSearchParams([['body', f.elements.body.value], ...attached().map(x => ['file', x.id])]) });
    const html = await r.text(), body = document.getElementById('dialog-body');
    if (r.status === 401) { location.href = r.headers.get('HX-Redirect') || '/login'; return; }
    if (!r.ok) { await htmx.swap({ sourceElement: document.body, target: document.body, swap: 'none', text: html }); return; }
    await htmx.swap({ sourceElement: body, target: body, swap: 'innerHTML', text: html });
    const dlg = document.getElementById('dialog');
    if (!dlg.open) dlg.showModal();
  } catch { toast(say('offline')); }
});

on('submit', e => { if (e.target.matches('#later-form[data-composed]')) handedOver(); });

on('thread:changed', e => {
  const l = document.getElementById('later');
  if (l && e.detail.later != null && l.dataset.version !== e.detail.later) l.dispatchEvent(new Event('later:refresh'));
});
