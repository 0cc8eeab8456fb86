// The tabs of a page, where they are wider than it: the current one is brought into view, when it comes and when its bar or
// its letters change their size. Nothing but the bar moves, and who has moved it is left alone.
const seen = new WeakSet();
const sizes = new ResizeObserver(entries => { for (const e of entries) show(e.target.closest('.ptabs')); });

function show(bar) {
  const now = bar.querySelector('[aria-current]').getBoundingClientRect(), box = bar.getBoundingClientRect();
  bar.scrollLeft += (now.left + now.right - box.left - box.right) / 2;
}

function watch() {
  for (const now of document.querySelectorAll('.ptabs [aria-current]')) {
    if (seen.has(now)) continue;
    seen.add(now);
    sizes.observe(now);
    sizes.observe(now.parentElement);
  }
}

watch();
document.addEventListener('htmx:after:swap', watch);
