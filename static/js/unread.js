// The number of unread conversations, as the badge of the navigation has it, also stands in the tab: title and icon.
const on = (n, f) => document.addEventListener(n, f);

function show() {
  const el = document.getElementById('rail-unread'), icon = document.getElementById('favicon');
  if (!el) return;
  const n = +el.dataset.unread;
  const title = document.title.replace(/^\(\d+\) /, '');
  const next = n > 0 ? `(${n}) ${title}` : title;
  if (document.title !== next) document.title = next;
  const href = n > 0 ? icon.dataset.dot : icon.dataset.plain;
  if (icon.getAttribute('href') !== href) icon.setAttribute('href', href);
}

on('htmx:after:swap', () => queueMicrotask(show));
on('htmx:after:history:update', show);
