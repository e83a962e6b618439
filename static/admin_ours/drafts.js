// An update that is being written stays when another button of the page loads it anew.
document.addEventListener("DOMContentLoaded", () => {
    const box = document.querySelector(".ir-comment textarea");
    if (!box || !box.form) return;
    const key = `draft:${location.pathname}`;
    if (!box.value) box.value = sessionStorage.getItem(key) || "";
    box.addEventListener("input", () => sessionStorage.setItem(key, box.value));
    box.form.addEventListener("submit", () => sessionStorage.removeItem(key));
});
