const segmenter = new Intl.Segmenter();

/** Letters and signs that fill two columns of a terminal. */
const WIDE =
  /^[\p{Emoji_Presentation}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]/u;
const ASCII = /^[\x20-\x7e]*$/;

/** How many columns of a terminal a printable text fills. */
export function textWidth(text: string): number {
  if (ASCII.test(text)) return text.length;
  return Array.from(segmenter.segment(text), ({ segment }) => widthOf(segment)).reduce((sum, each) => sum + each, 0);
}

/** The text in at most so many columns, with an ellipsis where something was cut off. */
export function shorten(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let kept = '';
  let used = 1;
  for (const { segment } of segmenter.segment(text)) {
    used += widthOf(segment);
    if (used > width) break;
    kept += segment;
  }
  return width < 1 ? '' : `${kept}…`;
}

function widthOf(segment: string): number {
  if (/^\p{M}/u.test(segment)) return 0;
  return WIDE.test(segment) ? 2 : 1;
}
