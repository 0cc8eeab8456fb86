// Sentences that scripts say come from the server, in the page's language: data-t-* on <body>.
export const say = (name, n) => (document.body.dataset['t' + name[0].toUpperCase() + name.slice(1)] || '').replace('{n}', n ?? '');
const region = id => text => { const el = document.getElementById(id); if (el) el.textContent = text; };
export const polite = region('live-polite');
