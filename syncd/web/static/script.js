"use strict";
/* Keeps the open page true: asks for the pulse every few seconds, and takes the page anew once it differs. It never
   replaces what somebody is working on (a field with the focus, a form that was changed, marked text). Without it every
   page works; it is only not live. */
(() => {
  const EVERY_MS = 4000;
  const SLOWEST_MS = 60000;
  const live = document.getElementById("live");
  let known = document.querySelector("main[data-live]")?.dataset.live;
  let wait = EVERY_MS;

  const busy = () => {
    const at = document.activeElement;
    const typing = at && at.closest("main") && at.matches("input, select, textarea");
    const marked = window.getSelection && String(window.getSelection());
    const changed = [...document.querySelectorAll("main form")].some((form) => form.dataset.changed);
    return Boolean(typing || marked || changed);
  };

  const remember = (main) => ({
    open: [...main.querySelectorAll("details")].map((one) => one.open),
    scrolls: [...main.querySelectorAll(".scroll")].map((one) => one.scrollLeft),
    focus: [...main.querySelectorAll("a, button, summary, [tabindex]")].indexOf(document.activeElement),
  });

  const restore = (main, was) => {
    main.querySelectorAll("details").forEach((one, at) => { if (at in was.open) one.open = was.open[at]; });
    main.querySelectorAll(".scroll").forEach((one, at) => { if (at in was.scrolls) one.scrollLeft = was.scrolls[at]; });
    if (was.focus >= 0) main.querySelectorAll("a, button, summary, [tabindex]")[was.focus]?.focus({ preventScroll: true });
  };

  const renew = async () => {
    const answer = await fetch(location.href, { headers: { "X-Part": "1" }, credentials: "same-origin" });
    if (answer.status === 401) { location.reload(); return false; }
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const main = document.querySelector("main[data-live]");
    const other = fresh.querySelector("main[data-live]");
    if (!main || !other || busy()) return false;
    if (main.innerHTML !== other.innerHTML) {
      const was = remember(main);
      main.replaceChildren(...other.childNodes);
      restore(main, was);
      live.textContent = "The page was brought up to date.";
    }
    document.getElementById("as-of").textContent = fresh.getElementById("as-of").textContent;
    return true;
  };

  const look = async () => {
    try {
      if (!document.hidden && !busy()) {
        const answer = await fetch("/pulse", { headers: { "X-Part": "1" }, credentials: "same-origin" });
        if (answer.status === 401) { location.reload(); return; }
        const pulse = (await answer.json()).pulse;
        if (pulse !== known && await renew()) known = pulse;
        if (wait > EVERY_MS) live.textContent = "Connected again.";
        wait = EVERY_MS;
      }
    } catch {
      live.textContent = "syncd does not answer; this page shows what was so before.";
      wait = Math.min(wait * 2, SLOWEST_MS);
    }
    setTimeout(look, wait);
  };

  document.addEventListener("input", (event) => {
    const form = event.target.closest("main form");
    if (form) form.dataset.changed = "1";
  });
  document.addEventListener("change", (event) => {
    const form = event.target.dataset.one && event.target.value && event.target.form;
    if (form) [...form.elements].forEach((one) => { if (one !== event.target && one.dataset.one) one.value = ""; });
  });
  document.addEventListener("submit", (event) => {
    if (event.target.method === "post") event.target.querySelectorAll("button").forEach((one) => { one.disabled = true; });
  });
  setTimeout(look, 500);
})();
