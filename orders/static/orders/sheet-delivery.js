/** Where an order goes, and how it is paid: the part of the sheet between the things and the total. */

import { all, el, one, show } from "../livecommerce/dom.js";

const FIELDS = ["kind", "saved", "name", "phone", "region", "address", "point_id", "payment_method", "note"];
const OTHER = "other";
/** Of the addresses that are kept so many are shown before one asks for more. */
const SHOWN = 3;

/**
 * @typedef {{name: string, phone: string, region: string, address: string}} Saved
 * @typedef {object} Checkout
 * @property {Saved[]} addresses
 * @property {{id: string, name: string, address: string, hours: string}[]} pickup_points
 * @property {{code: string, label: string, is_served: boolean}[]} regions
 * @property {string[]} payment_methods
 */

/** @type {Checkout} what is known before the server has answered */
const NOTHING = { addresses: [], pickup_points: [], regions: [], payment_methods: ["cash_on_delivery"] };

export class DeliveryForm {
  #checkout = NOTHING;

  /** @param {HTMLFormElement} form */
  constructor(form) {
    this.form = form;
    one("#more-addresses").addEventListener("click", () => this.#showAllAddresses());
  }

  /** What was filled in, by name. @returns {Record<string, string>} */
  get values() {
    const data = new FormData(this.form);
    return Object.fromEntries(FIELDS.map((name) => [name, String(data.get(name) ?? "")]));
  }

  /** Fill in what was filled in before. @param {Record<string, string>} kept */
  fill(kept) {
    for (const name of FIELDS) if (kept[name]) this.#set(name, kept[name]);
    this.refresh();
  }

  /** What the server knows of this buyer and seller. @param {Checkout} checkout @param {Record<string, string>} kept */
  load(checkout, kept) {
    this.#checkout = checkout;
    const isTyped = ["name", "phone", "address"].some((name) => this.#text(name) !== "");
    this.#fillRegions(checkout.regions);
    fillChoices(one("#saved-list"), savedChoices(checkout));
    fillChoices(one("#pickup-list"), checkout.pickup_points.map(pointChoice));
    fillChoices(one("#payment-list"), paymentChoices(checkout.payment_methods));
    show(one("#pickup-choice"), checkout.pickup_points.length > 0);
    if (kept.saved) this.#set("saved", kept.saved);
    else if (isTyped || !this.#whole.length) this.#set("saved", OTHER);
    if (!isTyped && checkout.addresses[0]) this.#fillPerson(checkout.addresses[0]);
    for (const name of ["kind", "region", "point_id", "payment_method"]) if (kept[name]) this.#set(name, kept[name]);
    this.refresh();
  }

  /** Show what goes with what was chosen. */
  refresh() {
    const { kind, payment_method: method } = this.values;
    const isPickup = kind === "pickup";
    const { isSaved } = this;
    show(one("#saved-addresses"), !isPickup && this.#whole.length > 0);
    show(one("#pickup-points"), isPickup);
    show(one("#order-person"), isPickup || !isSaved);
    show(one("#order-region-field"), !isPickup && !isSaved && this.#checkout.regions.length > 0);
    show(one("#order-address-field"), !isPickup && !isSaved);
    show(one("#payment-field"), this.#checkout.payment_methods.length > 1);
    show(one("#order-cash-note"), method !== "online" && this.#checkout.payment_methods.includes("cash_on_delivery"));
    show(one("#order-online-note"), method === "online" || this.#checkout.payment_methods.join() === "online");
    show(one("#order-no-payment"), this.#checkout.payment_methods.length === 0);
  }

  /** @returns {{kind: string, region: string}} what the fee depends on */
  get to() {
    const { kind, region } = this.#destination();
    return { kind, region: region ?? "" };
  }

  /** Whether it goes to an address that is kept. */
  get isSaved() {
    const { kind, saved } = this.values;
    return kind !== "pickup" && this.#savedOne(saved) !== null;
  }

  get paymentMethod() {
    const { payment_methods: methods } = this.#checkout;
    return this.values.payment_method || methods[0] || "cash_on_delivery";
  }

  /** As the server takes it. */
  get destination() {
    return this.#destination();
  }

  /** What is missing, by field. @returns {Record<string, string>} */
  missing() {
    const to = /** @type {Record<string, string>} */ (this.#destination());
    const needed = to.kind === "pickup" ? ["point_id", "name", "phone"] : ["name", "phone", "region", "address"];
    const missing = needed.filter((name) => !to[name]?.trim() && (name !== "region" || this.#checkout.regions.length > 0));
    return Object.fromEntries(missing.map((name) => [name, MISSING[name]()]));
  }

  /** Where it will be fetched; `null` if it is brought. @returns {{name: string, address: string, hours: string}|null} */
  get pickupPoint() {
    const { kind, point_id: chosen } = this.values;
    return kind === "pickup" ? (this.#checkout.pickup_points.find(({ id }) => id === chosen) ?? null) : null;
  }

  /** Let the form be seen where a field of a saved address is at fault. */
  openForm() {
    const saved = this.#savedOne(this.values.saved);
    if (!saved || this.values.kind === "pickup") return;
    for (const [name, text] of Object.entries(saved)) this.#set(name, text);
    this.#set("saved", OTHER);
    this.refresh();
  }

  #destination() {
    const values = this.values;
    const { name, phone, point_id } = values;
    if (values.kind === "pickup") return { kind: "pickup", point_id, name, phone };
    const { region, address, ...person } = this.#savedOne(values.saved) ?? values;
    const needsRegion = this.#checkout.regions.length > 0;
    return { kind: "courier", name: person.name, phone: person.phone, region: needsRegion ? region : "", address };
  }

  /** Those to which something can be sent: who only picked up has a name and a phone. */
  get #whole() {
    return this.#checkout.addresses.filter(({ address }) => address);
  }

  #savedOne(saved) {
    return this.#whole[Number(saved || "NaN")] ?? null;
  }

  #fillPerson({ name, phone }) {
    this.#set("name", name);
    this.#set("phone", phone);
  }

  #text(name) {
    return this.form.elements.namedItem(name)?.value ?? "";
  }

  #set(name, value) {
    const input = /** @type {any} */ (this.form.elements.namedItem(name));
    if (input) input.value = value;
  }

  #fillRegions(regions) {
    const select = /** @type {HTMLSelectElement} */ (one("#order-region"));
    if (select.options.length > 1) return;
    select.append(...regions.map(regionOption));
  }

  #showAllAddresses() {
    for (const choice of all("#saved-list > [hidden]")) show(choice, true);
    show(one("#more-addresses"), false);
  }
}

/** @type {Record<string, () => string>} */
const MISSING = {
  name: () => gettext("Who is it for?"),
  phone: () => gettext("The courier or the shop needs a phone number."),
  region: () => gettext("Please choose the region: what delivery costs depends on it."),
  address: () => gettext("Where should it be brought?"),
  point_id: () => gettext("Please choose where you will fetch it."),
};

function fillChoices(list, choices) {
  if (!list.children.length) list.append(...choices);
}

function choice(name, value, checked, ...text) {
  return el("label", { class: "choice" }, el("input", { type: "radio", name, value, checked }), el("span", {}, ...text));
}

/** With the province, where what delivery costs depends on it. */
function savedChoices({ addresses, regions }) {
  const labels = new Map(regions.map(({ code, label }) => [code, label]));
  const whole = addresses.filter(({ address }) => address);
  if (!whole.length) return [];
  const choices = whole.map(({ name, phone, region, address }, place) => {
    const where = labels.has(region) ? interpolate(gettext("%(street)s, %(region)s"), { street: address, region: labels.get(region) }, true) : address;
    const made = choice("saved", String(place), place === 0, el("strong", {}, name), ` ${phone}`, el("br"), where);
    show(made, place < SHOWN);
    return made;
  });
  show(one("#more-addresses"), whole.length > SHOWN);
  return [...choices, choice("saved", OTHER, false, gettext("Another address"))];
}

/** Where there is one place only, it is chosen already. */
function pointChoice(point, _place, points) {
  const hours = point.hours ? [el("br"), el("span", { class: "muted small" }, point.hours)] : [];
  return choice("point_id", point.id, points.length === 1, el("strong", {}, point.name), el("br"), point.address, ...hours);
}

function paymentChoices(methods) {
  const labels = { cash_on_delivery: gettext("Cash when you get it"), online: gettext("Online, now") };
  return methods.map((method, place) => choice("payment_method", method, place === 0, labels[method] ?? method));
}

function regionOption({ code, label, is_served: isServed }) {
  const text = isServed ? label : interpolate(gettext("%s (we do not deliver there)"), [label]);
  return el("option", { value: code }, text);
}
