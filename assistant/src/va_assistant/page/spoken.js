// What screen readers say. Words that come one by one are not to be heard one by one:
// sentences are, each when it is whole.

const ENDS = /[.!?…。！？؟।\n]/u;
const LONGEST = 1000;

export class Spoken {
  #log;
  #status;
  #rest = "";
  #sentences = "Segmenter" in Intl && new Intl.Segmenter(undefined, { granularity: "sentence" });

  constructor(log, status) {
    this.#log = log;
    this.#status = status;
  }

  /** Say what has happened. */
  tell(text) {
    this.#status.textContent = text;
  }

  /** Take a piece of an answer, and say the sentences that it makes whole. */
  add(piece) {
    this.#rest += piece;
    if (this.#rest.length > LONGEST) {
      this.end();
    } else if (ENDS.test(piece)) {
      // The last sentence may go on, even behind its mark: "No. 3".
      const sentences = this.#split();
      this.#rest = sentences.pop() ?? "";
      sentences.forEach((sentence) => this.#say(sentence));
    }
  }

  /** Say what is left of an answer that has ended. */
  end() {
    this.#split().forEach((sentence) => this.#say(sentence));
    this.#rest = "";
  }

  /** Forget an answer, so that nobody finds it twice. */
  clear() {
    this.#rest = "";
    this.#log.replaceChildren();
  }

  #split() {
    return this.#sentences
      ? Array.from(this.#sentences.segment(this.#rest), (found) => found.segment)
      : [this.#rest];
  }

  #say(sentence) {
    if (sentence.trim()) {
      const paragraph = document.createElement("p");
      paragraph.textContent = sentence.trim();
      this.#log.append(paragraph);
    }
  }
}
