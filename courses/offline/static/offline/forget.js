/** On every page: who signs out, or in as somebody else, finds nothing of the last one's lessons. */

const WHOSE = "learn.owner";
const { person } = document.body.dataset;

if (person !== undefined && localStorage.getItem(WHOSE) && localStorage.getItem(WHOSE) !== person) {
  import("./keeping.js").then(({ forgetAll }) => forgetAll()).then(() => localStorage.removeItem(WHOSE));
}
