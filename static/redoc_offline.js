// Redoc's bundle shows a logo from its maker's server, and has no option against it. Our policy for content would stop
// it with an error in the console, so that it is not asked for: pictures from elsewhere become our own sign.
(() => {
  const sign = document.querySelector("link[rel=icon]").href;
  const own = (address) => {
    const { protocol, origin } = new URL(address, location.href);
    return protocol.startsWith("http") && origin !== location.origin ? sign : address;
  };
  const picture = HTMLImageElement.prototype;

  // React sets the attribute, and the property after it.
  const setAttribute = picture.setAttribute;
  picture.setAttribute = function (name, value) {
    setAttribute.call(this, name, name === "src" ? own(value) : value);
  };
  const source = Object.getOwnPropertyDescriptor(picture, "src");
  Object.defineProperty(picture, "src", {
    ...source,
    set(value) {
      source.set.call(this, own(value));
    },
  });
})();
