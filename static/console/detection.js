// Only the example of the chosen store; without scripts all are listed.
import { $, $$ } from "./dom.js";

const store = $("[name=store]");
const choose = () => $$("[data-of-store]").forEach((one) => { one.hidden = one.dataset.ofStore !== store.value; });
store.addEventListener("change", choose);
window.addEventListener("pageshow", choose);
choose();
