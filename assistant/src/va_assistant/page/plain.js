// Foreign text as people are to see it: without what steers terminals or the order of letters.

const STRING = "(?:\\x1b[\\]P^_X]|[\\x90\\x98\\x9d-\\x9f])[^\\x00-\\x09\\x0b-\\x1f\\x7f\\x9c\\n]";
const REMOVED = new RegExp(
  "(?:\\x1b\\[|\\x9b)[0-?]*[ -/]*[@-~]" + // CSI: colours, cursor, screen
  `|${STRING}*(?:\\x07|\\x1b\\\\|\\x9c)` + // OSC, DCS and their kind: titles, clipboard
  "|\\x1b[ -/]*[0-~]" + // two characters
  "|[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f]" + // what is left of them, and other controls
  "|[\\u202a-\\u202e]", // embeddings and overrides; isolates end with their paragraph
  "g",
);
const UNFINISHED = new RegExp(
  `(?:(?:\\x1b\\[|\\x9b)[0-?]{0,64}[ -/]{0,8}|${STRING}{0,1024}\\x1b?|\\x1b[ -/]{0,8})$`,
);

export function plain(text) {
  return String(text ?? "").replace(REMOVED, "");
}

/** The same for a text in pieces: a code that a piece may have begun waits for the next. */
export class PlainPieces {
  #held = "";

  add(piece) {
    const text = this.#held + piece;
    const end = text.search(UNFINISHED);
    this.#held = end < 0 ? "" : text.slice(end);
    return plain(end < 0 ? text : text.slice(0, end));
  }

  /** What waited in vain. */
  rest() {
    const held = this.#held;
    this.#held = "";
    return plain(held);
  }
}
