import { PROFILES } from '../engine/scheduler/profiles.ts';
import { languageFor } from '../panel/messages/catalogue.ts';
import { seamWords } from '../panel/messages/seam-words.ts';
import { readSeam } from '../panel/state/seam.ts';
import { titleOf, type BatchOutcome } from './preview.ts';
import { factsOf } from './report.ts';

/**
 * `contact-sheet.html`: a page beside the previews that shows their posters, plays them on click and tells their seams in
 * words. It needs nothing but the files next to it, no network, and links to the videos where scripts are off.
 * @param title what the batch was made of
 */
export function contactPage(title: string, outcomes: readonly BatchOutcome[], variations: number): string {
  const failed = outcomes.filter(({ status }) => status === 'failed').length;
  const made = outcomes.length - failed;
  const count = `${made} ${made === 1 ? 'preview' : 'previews'}${failed > 0 ? `, ${failed} failed` : ''}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}: previews</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escape(title)}</h1>
<p>${count}. Made by Longtake.</p>
<ol>
${outcomes.map((outcome) => entry(outcome, variations)).join('\n')}
</ol>
</main>
<script>${SCRIPT}</script>
</body>
</html>
`;
}

function entry(outcome: BatchOutcome, variations: number): string {
  const title = escape(titleOf(outcome, variations));
  if (outcome.status === 'failed') {
    return `<li class="failed"><h2>${title}</h2><p>Not made: ${escape(outcome.error.message)}</p></li>`;
  }
  const { files, poster, seam, size, direction, profile, notices } = outcome.result;
  const [first = '', ...others] = files;
  const words = seam === null ? [] : [seamWords(readSeam(seam), languageFor('en'))];
  const backward = direction === 'backward' ? ', before the clip' : '';
  const lines = [...words, ...notices].map((line) => `<p>${escape(line)}</p>`);
  const links = others.map((file) => `<p><a href="${link(file)}">${escape(file)}</a></p>`);
  return `<li><a class="play" href="${link(first)}" aria-label="Play ${title}"><img src="${link(poster)}" alt="" width="${size.width}" height="${size.height}" loading="lazy"></a>
<h2>${title}</h2>
<p>${escape(factsOf(outcome))}${backward}. ${PROFILES[profile].title}, seed ${outcome.preview.seed}.</p>
${[...lines, ...links].join('\n')}</li>`;
}

/** Names go into text and quoted attributes. */
function escape(text: string): string {
  const entities: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replace(/[&<>"']/g, (character) => entities[character]!);
}

/** A file beside the page. */
function link(file: string): string {
  return `./${encodeURIComponent(file)}`;
}

const STYLE = `
:root { color-scheme: light dark; }
body { margin: 0; font: 15px/1.45 system-ui, sans-serif; background: Canvas; color: CanvasText; }
main { max-width: 1200px; margin: 0 auto; padding: 24px 16px 48px; }
h1 { font-size: 22px; margin: 0; overflow-wrap: anywhere; }
ol { list-style: none; margin: 24px 0 0; padding: 0; display: grid; gap: 24px 16px; grid-template-columns: repeat(auto-fill, minmax(min(260px, 100%), 1fr)); }
li { min-width: 0; }
h2 { font-size: 15px; margin: 8px 0 2px; overflow-wrap: anywhere; }
li p { margin: 2px 0; overflow-wrap: anywhere; }
li.failed { border-left: 4px solid #d1372b; padding-left: 12px; }
.play { display: block; position: relative; }
.play::after { content: ""; position: absolute; inset: 0; margin: auto; width: 44px; height: 44px; border-radius: 50%; background: rgb(0 0 0 / 62%) url('data:image/svg+xml,<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 44 44"><path fill="white" d="M17 13v18l14-9z"/></svg>'); }
.play:focus-visible { outline: 3px solid Highlight; outline-offset: 2px; }
img, video { display: block; width: 100%; height: auto; border-radius: 6px; background: #18181b; }
`;

/** Puts the video in the place of its poster. */
const SCRIPT = `
for (const play of document.querySelectorAll('.play')) {
  play.addEventListener('click', (event) => {
    event.preventDefault();
    const picture = play.querySelector('img');
    const video = document.createElement('video');
    Object.assign(video, { src: play.href, poster: picture.src, controls: true, loop: true, autoplay: true, playsInline: true });
    video.width = picture.width;
    video.height = picture.height;
    video.setAttribute('aria-label', play.getAttribute('aria-label').replace('Play ', ''));
    play.replaceWith(video);
    video.focus();
  });
}
`;
