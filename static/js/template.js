// The template picker: what is typed into a field stands in the bubble at once. Without script the server fills it.
const show = f => {
  for (const span of f.form.querySelectorAll(`[data-var="${CSS.escape(f.name)}"]`)) span.textContent = f.value.trim() || span.dataset.empty;
};
document.addEventListener('input', e => { if (e.target.form?.hasAttribute('data-template')) show(e.target); });
