// Entry: what the whole page needs. Everything is delegated from document, so swaps cannot lose it.
import { toast } from './toast.js';
import { say } from './text.js';
import './list.js';
import './part.js';
import './thread.js';
import './composer.js';
import './attach.js';
import './fields.js';
import './window.js';
import './template.js';
import './viewing.js';
import './later.js';
import './more.js';
import './emoji.js';
import './check.js';
import './tabs.js';
import './keys.js';
import './leave.js';
import './unread.js';
import './live.js';

const on = (n, f) => document.addEventListener(n, f);

// aria-busy on the target while a request runs; the count keeps overlapping requests right.
const busy = (el, d) => {
  if (!(el instanceof Element) || el === document.body || el.id === 'live') return;
  el._busy = Math.max(0, (el._busy || 0) + d);
  el._busy ? el.setAttribute('aria-busy', 'true') : el.removeAttribute('aria-busy');
};
on('htmx:before:request', e => { const c = e.detail.ctx; busy(c._busy = c.target, 1); });
on('htmx:finally:request', e => { const c = e.detail.ctx; if (c._busy) busy(c._busy, -1); c._busy = null; });

// An answer that replaces nothing still has something to say when a live update has removed what asked for it: htmx drops
// all of an answer whose target is gone.
on('htmx:after:request', e => {
  const c = e.detail.ctx;
  if (c.hx?.reswap === 'none' && !c.target?.isConnected) c.target = document.body;
});

// A request that never got an answer: htmx says so in the console only.
on('htmx:error', e => {
  const c = e.detail.ctx;
  if (!c || c.sourceElement?.id === 'live') return;
  if (c.request?.headers?.['HX-History-Restore-Request']) history.go(wentBack ? 1 : -1); // address and thread must agree
  toast(say(c.request?.signal?.reason === 'timeout' ? 'timeout' : 'offline'));
});
let wentBack = true;
window.navigation?.addEventListener('navigate', e => { if (e.navigationType === 'traverse') wentBack = e.destination.index < navigation.currentEntry.index; });

// Focus never stays on body after a swap or a history restore.
let last = null;
on('focusin', e => { if (e.target.id) last = e.target.id; });
const refocus = () => {
  if (document.activeElement && document.activeElement !== document.body) return;
  const el = (last && document.getElementById(last)) || document.querySelector('#thread-h, h1[tabindex], h1');
  if (el?.localName === 'h1') el.tabIndex = -1; // else it takes no focus
  el?.focus({ preventScroll: true });
};
on('htmx:after:swap', () => queueMicrotask(refocus));
window.navigation?.addEventListener('navigatesuccess', () => setTimeout(refocus));

// Dialog pages: a link whose target is #dialog-body opens the dialog; the same URL is a page. [data-close] closes the
// dialog that it stands in; on the page it is a link.
const dlg = document.getElementById('dialog');
on('htmx:after:swap', e => { if (e.detail.ctx.target?.id === 'dialog-body' && !dlg.open) dlg.showModal(); });
on('dialog:close', () => dlg.close());
on('click', e => {
  const open = e.target.closest('[data-close]')?.closest('dialog');
  if (open) { e.preventDefault(); open.close(); }
});
dlg.addEventListener('close', () => {
  document.getElementById('dialog-body').replaceChildren();
  setTimeout(refocus); // what opened it may be gone
});

// What is not sent yet is another person's business once somebody else signs in.
on('submit', e => { if (e.target.getAttribute('action') === '/logout') sessionStorage.clear(); });
