/** The words of a caption and when each begins; the same rules as media_pipeline/captions/cues.py. */

const SINGLE = "\\u3040-\\u30ff\\u3400-\\u4dbf\\u4e00-\\u9fff\\uac00-\\ud7af\\uf900-\\ufaff";
const CLOSING = "\\u3000-\\u303f\\uff00-\\uffef,.!?;:)\\]…’”";
const WORD = new RegExp(`[${SINGLE}][${CLOSING}]*\\s*|[^\\s${SINGLE}]+\\s*`, "gu");

/** @typedef {{start_ms: number, end_ms: number, text: string, words_ms: number[]}} Cue */

/** The words of a text without space around it; together they are the text. @param {string} text */
export function wordsOf(text) {
  return text.match(WORD) ?? [];
}

/**
 * A cue with this text whose words begin where those of `old` did, as far as they are the same; those
 * between share the time that is left by their length.
 *
 * @param {number} startMs @param {number} endMs @param {string} text @param {Cue} [old] @returns {Cue}
 */
export function cue(startMs, endMs, text, old) {
  const words = wordsOf(text);
  const known = old ? wordsOf(old.text) : [];
  const kept = old && old.words_ms.length === known.length ? old.words_ms : [];
  const before = same(words, known);
  const behind = same([...words].reverse(), [...known].reverse(), Math.min(words.length, known.length) - before);
  const tail = kept.slice(kept.length - behind);
  const gap = words.slice(before, words.length - behind);
  const until = tail[0] ?? endMs;
  let since = startMs;
  if (before && before === kept.length - behind) since = Math.floor((kept[before - 1] + until) / 2);
  else if (before) since = kept[before];
  const moments = [...kept.slice(0, before), ...shared(gap, since, until), ...tail];
  return { start_ms: startMs, end_ms: endMs, text, words_ms: rising(moments, startMs, endMs) };
}

function same(words, others, most = Infinity) {
  let count = 0;
  while (count < Math.min(words.length, others.length, most) && words[count].trim() === others[count].trim()) count++;
  return count;
}

function shared(words, sinceMs, untilMs) {
  const lengths = words.map((word) => [...word.trim()].length || 1);
  const whole = lengths.reduce((sum, length) => sum + length, 0);
  let said = 0;
  return lengths.map((length) => {
    const at = sinceMs + Math.floor(((untilMs - sinceMs) * said) / whole);
    said += length;
    return at;
  });
}

function rising(moments, startMs, endMs) {
  let last = startMs;
  return moments.map((ms) => (last = Math.min(endMs, Math.max(ms, last))));
}

/** When the word begins in which this character of the text is. @param {Cue} one @param {number} offset */
export function momentAt(one, offset) {
  let end = 0;
  const words = wordsOf(one.text);
  const at = words.findIndex((word) => (end += word.length) > offset);
  return one.words_ms[at < 0 ? words.length - 1 : at] ?? one.start_ms;
}
