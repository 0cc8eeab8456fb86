// Closing a wizard: data-leave="form" asks first when something in the form is not saved (data-unsaved says that the
// server knows of something). Without it, and without script, it is a plain link.
const on = (n, f) => document.addEventListener(n, f);

const typed = f => f.type === 'checkbox' || f.type === 'radio' ? f.checked !== f.defaultChecked
  : f.options ? [...f.options].some(o => o.selected !== o.defaultSelected) && f.value !== (f.querySelector('[selected]') ?? f.options[0])?.value
  : f.type !== 'hidden' && 'defaultValue' in f && f.value !== f.defaultValue;

on('click', e => {
  const a = e.target.closest('[data-leave]'), form = a && document.getElementById(a.dataset.leave);
  if (!form || e.ctrlKey || e.metaKey || e.shiftKey) return;
  if (!('unsaved' in a.dataset) && ![...form.elements].some(typed)) return;
  e.preventDefault();
  document.getElementById('leave').showModal();
});

// Whatever comes of saving the draft, it must not be behind the dialog.
on('submit', e => { e.submitter?.closest('#leave')?.close(); });
