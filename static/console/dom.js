export const $ = (selector, within = document) => within.querySelector(selector);
export const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];

export function on(type, selector, handler, options) {
  document.addEventListener(type, (event) => {
    const found = event.target instanceof Element && event.target.closest(selector);
    if (found) handler(event, found);
  }, options);
}

export const csrf = () => $("input[name=csrfmiddlewaretoken]")?.value ?? "";

export function post(url, data = {}) {
  const body = data instanceof FormData ? data : new URLSearchParams(data);
  return fetch(url, { method: "POST", body, headers: { "X-CSRFToken": csrf(), "HX-Request": "true" } });
}

export function toast(text, { isProblem = false, seconds = 8 } = {}) {
  const shown = $("#toast-template").content.firstElementChild.cloneNode(true);
  $("span", shown).textContent = text;
  shown.classList.toggle("toast-problem", isProblem);
  shown.dataset.toast = seconds;
  $("#toasts").append(shown);
  return shown;
}

export const isTyping = (element) =>
  element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName) && !/^(checkbox|radio|button|submit)$/.test(element.type);
