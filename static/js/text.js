// Sentences that scripts say come from the server, in the page's language: data-t-* on <body>.
export const say = name => document.body.dataset['t' + name[0].toUpperCase() + name.slice(1)] || '';
export const polite = text => { document.getElementById('live-polite').textContent = text; };
