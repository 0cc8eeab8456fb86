// Own stream client: fetch instead of EventSource, because only fetch shows the status (401, 503, not a stream).
// Events on document: live:<name> with the data as detail, live:up, live:down, live:retry with the milliseconds to the
// next try, live:signedout.
import { say, polite } from './text.js';

const el = document.querySelector('[data-live]');
const conn = () => document.getElementById('conn');
const emit = (n, d) => document.dispatchEvent(new CustomEvent('live:' + n, { detail: d }));
if (el) {
  const dead = +el.dataset.dead || 25000, max = +el.dataset.max || 10000;
  let attempt = 0, ac, retry, watch, beat = Date.now(), isUp = null, open = false, on = false;

  const heard = () => {
    beat = Date.now();
    clearTimeout(watch);
    watch = setTimeout(() => { down(); connect(); }, dead);
    if (isUp !== true) { isUp = true; attempt = 0; emit('up'); } // only a first event is proof, headers are not
  };
  const down = () => { if (isUp !== false) { isUp = false; emit('down'); } };
  const again = () => {
    const wait = Math.min(max, 300 * 2 ** attempt++) * (0.7 + Math.random() * 0.6);
    clearTimeout(retry);
    retry = setTimeout(connect, wait);
    emit('retry', wait);
  };

  async function connect() {
    clearTimeout(retry); clearTimeout(watch); ac?.abort();
    if (!on) return;
    const me = ac = new AbortController();
    watch = setTimeout(() => { down(); connect(); }, dead); // a connect that hangs
    open = false;
    try {
      const r = await fetch(el.dataset.live, { headers: { Accept: 'text/event-stream' }, cache: 'no-store', redirect: 'error', signal: me.signal });
      if (r.status === 401) { down(); return emit('signedout'); }
      if (!r.ok || !r.headers.get('Content-Type')?.startsWith('text/event-stream')) throw new Error('not a stream: ' + r.status);
      open = true;
      const reader = r.body.getReader(), text = new TextDecoder();
      for (let buf = ''; ;) {
        const { done, value } = await reader.read();
        if (done) break;
        const parts = (buf += text.decode(value, { stream: true })).split('\n\n');
        buf = parts.pop();
        heard();
        for (const p of parts) {
          let name = 'message', data = [];
          for (const line of p.split('\n')) {
            if (line.startsWith('event:')) name = line.slice(6).trim();
            else if (line.startsWith('data:')) data.push(line.slice(5).replace(/^ /, ''));
          }
          if (name !== 'ping') emit(name, data.join('\n'));
        }
      }
    } catch { /* below */ }
    if (me !== ac) return; // replaced by a newer connect
    open = false; clearTimeout(watch);
    attempt > 0 || isUp === false ? down() : setTimeout(() => { if (on && !open) down(); }, 1500); // a quick restart shows no banner
    isUp = isUp === true ? null : isUp;
    again();
  }

  // A page may arrive by a swap: the stream runs as long as the page that is shown wants one.
  const follow = () => {
    const want = !!document.querySelector('[data-live-page]');
    if (want === on) return;
    on = want; attempt = 0; isUp = null; ac = (ac?.abort(), null);
    if (!on && conn()) conn().hidden = true;
    connect();
  };
  document.addEventListener('htmx:after:swap', follow);

  addEventListener('online', () => { attempt = 0; connect(); });
  document.addEventListener('visibilitychange', () => { if (!document.hidden && Date.now() - beat > dead) { attempt = 0; connect(); } });
  addEventListener('pagehide', () => { clearTimeout(retry); clearTimeout(watch); ac?.abort(); });
  addEventListener('pageshow', e => { if (e.persisted) { attempt = 0; connect(); } });
  document.addEventListener('click', e => { if (e.target.closest('[data-live-retry]')) { attempt = 0; connect(); } });
  follow();
}

document.addEventListener('live:signedout', () => { location.href = '/login?signed_out=1&next=' + encodeURIComponent(location.pathname + location.search); });

// The banner: shown while the line is down, said once, with the seconds to the next try.
let at = 0, clock;
const count = () => {
  const left = conn()?.querySelector('[data-live-in]'), s = Math.max(0, Math.ceil((at - Date.now()) / 1000));
  if (left) left.textContent = s > 0 ? left.dataset.text.replace('{n}', s) : '';
};
document.addEventListener('live:retry', e => { at = Date.now() + e.detail; count(); });
document.addEventListener('live:down', () => {
  if (!conn()?.hidden) return;
  conn().hidden = false;
  polite(say('lost'));
  clearInterval(clock);
  clock = setInterval(count, 1000);
});
document.addEventListener('live:up', () => {
  if (!conn() || conn().hidden) return;
  conn().hidden = true;
  polite(say('back'));
  clearInterval(clock);
});
