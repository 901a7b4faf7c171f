// The page's language: texts in text/*.json, dates and numbers by the browser.

const LANGUAGES = ["en", "ko"];
let texts = {};
let language = "en";

/** Loads the texts of the user's language: the one chosen, else the first of the browser's that exists. */
export async function load() {
  const wanted = [localStorage.getItem("etbgm.language"), ...navigator.languages];
  language = wanted.map((tag) => (tag || "").slice(0, 2)).find((tag) => LANGUAGES.includes(tag)) || "en";
  const response = await fetch(`/page/text/${language}.json`);
  texts = await response.json();
  document.documentElement.lang = language;
}

export const current = () => language;
export const all = () => LANGUAGES;

/** Chooses a language and shows the page in it. */
export function choose(tag) {
  localStorage.setItem("etbgm.language", tag);
  location.reload();
}

/** Returns a text with `{name}` replaced; the key itself if there is none, which tests notice. */
export function t(key, values = {}) {
  const found = texts[key];
  if (found === undefined) return key;
  return found.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/** Whether there is a text. */
export const has = (key) => key in texts;

/** The name of a style; styles that another server may have keep their own. */
export const styleName = (name) => (has(`style.${name}`) ? t(`style.${name}`) : name);

/** Formats seconds as 1:02 or 1:02:03; with tenths if `fine`. */
export function time(s, fine = false) {
  const tenths = Math.max(0, Math.round(s * 10));
  const whole = fine ? Math.floor(tenths / 10) : Math.floor(s + 1e-6);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const end = `${String(rest).padStart(2, "0")}${fine ? `.${tenths % 10}` : ""}`;
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${end}` : `${minutes}:${end}`;
}

/** Formats a moment such as "today, 14:05". */
export function moment(text) {
  return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(new Date(text));
}

const formats = new Map();

/** A format of numbers; making one takes longer than using it a hundred times. */
function format(options) {
  const key = JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.NumberFormat(language, options));
  return formats.get(key);
}

/** Formats a number. */
export const number = (value, digits = 0) =>
  format({ maximumFractionDigits: digits, minimumFractionDigits: digits }).format(value);

export const percent = (share) => format({ style: "percent" }).format(share);

/** Formats a number of bytes. */
export function bytes(count) {
  const power = Math.min(3, Math.floor(Math.log10(Math.max(1, count)) / 3));
  const unit = ["byte", "kilobyte", "megabyte", "gigabyte"][power];
  const maximumFractionDigits = power > 1 ? 1 : 0;
  return format({ style: "unit", unit, unitDisplay: "short", maximumFractionDigits }).format(count / 1000 ** power);
}

/** Formats a remaining time in words: "about 2 minutes". */
export function remaining(s) {
  const minutes = Math.round(s / 60);
  const [value, unit] = s < 55 ? [Math.max(5, Math.ceil(s / 5) * 5), "second"] : [Math.max(1, minutes), "minute"];
  return t("about", { time: format({ style: "unit", unit, unitDisplay: "long" }).format(value) });
}

/** The name of a language in the page's language. */
export function languageName(tag) {
  try {
    return new Intl.DisplayNames([language], { type: "language" }).of(tag) || tag;
  } catch {
    return tag;
  }
}
