//! Report pages in a real browser: they load nothing, log nothing, run nothing of a tenant, and can be read on every screen.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::browser::Browser;
use crate::support::fixture::Fixture;
use crate::support::skip::skip;

/// Tries to run a script in every place that a name or a value may be put.
const EVIL: &str = "<script>window.pwned=1</script>\"><img src=x onerror=window.pwned=1>'</style></script></title><svg onload=window.pwned=1>\u{202e}\u{1b}[31m";

/// Returns the texts of the page that are hard to read: those with a contrast below 4.5.
const UNREADABLE: &str = r#"(() => {
  const colour = (text) => text.match(/[\d.]+/g).map(Number);
  const light = (rgb) => rgb.slice(0, 3).map((one) => one / 255).map((one) => one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4)
    .reduce((sum, one, at) => sum + one * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const rgb = colour(getComputedStyle(one).backgroundColor);
      if (rgb.length < 4 || rgb[3] === 1) return rgb;
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.textContent.trim() || !element.checkVisibility() || element.closest("script")) continue;
    const [one, other] = [colour(getComputedStyle(element).color), behind(element)].map(light).sort((a, b) => b - a);
    const ratio = (one + 0.05) / (other + 0.05);
    if (ratio < 4.5) found.push(`${ratio.toFixed(2)} ${element.className} ${node.textContent.slice(0, 40)}`);
  }
  return found;
})()"#;

/// Returns the elements that are wider than the window.
const TOO_WIDE: &str = r#"Array.from(document.querySelectorAll("body *")).filter((one) => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest(".skip, .scroll, .operation"))
  .map((one) => `${one.tagName}.${one.className}`).slice(0, 5)"#;

fn tenant(name: &str, clients: &Value) -> Value {
    let data = json!({
        "/clients": clients,
        "/roles": [{"id": "rol_AAAAAAAAAAAAAAAA", "name": EVIL, "description": EVIL}],
        "/hooks": [{"id": "hook1", "name": EVIL, "triggerId": "post-user-registration", "script": EVIL.repeat(80), "enabled": true}],
    });
    json!({"tenant": name, "domain": format!("{name}.eu.auth0.com"), "data": data})
}

/// Returns two tenants whose every name and value is hostile.
fn hostile() -> Fixture {
    let client = |name: &str, page: &str| {
        json!({"client_id": format!("Shop{}", "A".repeat(28)), "name": name, "description": EVIL, "app_type": "spa",
        "callbacks": [format!("https://a.example/{page}")], "custom_login_page": format!("<html>\n{EVIL}\n{page}\n</html>\n")})
    };
    Fixture::new(tenant("acme-dev", &json!([client(EVIL, EVIL)])), tenant("acme-prod", &json!([client(EVIL, "x")])), "")
}

/// Returns the pages of a plan and of the run of it.
fn pages(fixture: &Fixture) -> Vec<PathBuf> {
    let plan = fixture.run("plan --tenant prod --report plan.html");
    assert!([0, 4].contains(&plan.code), "{}", plan.whole());
    let run = fixture.run("import --tenant prod --yes --quiet --allow many-changes,lockout-risk,weaker-protection,source-leak");
    assert!([0, 3].contains(&run.code), "{}", run.whole());
    vec![fixture.path("plan.html"), fixture.path(&format!("{}/report.html", fixture.only_in("runs")))]
}

/// Writes a picture into the folder that `REPORT_SHOTS` names, to be looked at.
fn picture(browser: &mut Browser, name: &str) {
    if let Some(folder) = std::env::var_os("REPORT_SHOTS") {
        browser.picture(&Path::new(&folder).join(format!("{name}.png")));
    }
}

/// Asserts what holds on every page at every width, in both colour schemes and on paper.
fn assert_readable(browser: &mut Browser, page: &Path, name: &str) {
    browser.show(1280, "light", "screen");
    browser.open(page);
    browser.evaluate("document.getElementById('expand').click()");
    for (width, scheme) in [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")] {
        browser.show(width, scheme, "screen");
        let place = format!("{name}-{width}-{scheme}");
        picture(browser, &place);
        assert_eq!(
            browser.evaluate("document.documentElement.scrollWidth <= innerWidth"),
            json!(true),
            "{place}: {}",
            browser.evaluate(TOO_WIDE)
        );
        assert_eq!(browser.evaluate(TOO_WIDE), json!([]), "{place}");
        assert_eq!(browser.evaluate(UNREADABLE), json!([]), "{place}");
    }
    browser.evaluate("document.getElementById('collapse').click()");
    browser.show(800, "light", "print");
    let printed = "getComputedStyle(document.getElementById('tools')).display === 'none' && Array.from(document.querySelectorAll('main details > :not(summary)')).every((one) => one.checkVisibility())";
    assert_eq!(browser.evaluate(printed), json!(true), "{name} on paper");
    assert_eq!(browser.complaints(), [""; 0], "{name}");
}

/// Asserts that the filter shows what contains a word, by the keyboard alone.
fn assert_filters(browser: &mut Browser, page: &Path, word: &str) {
    browser.show(1280, "light", "screen");
    browser.open(page);
    let shown = "Array.from(document.querySelectorAll('[data-entry]')).filter((one) => one.checkVisibility())";
    let all = browser.evaluate("document.querySelectorAll('[data-entry]').length");
    browser.press("/");
    assert_eq!(browser.evaluate("document.activeElement.id"), json!("filter"));
    browser.type_text(word);
    let found = browser.evaluate(&format!("{shown}.length"));
    assert!(found.as_u64() > Some(0) && found.as_u64() < all.as_u64(), "{found} of {all}");
    assert_eq!(browser.evaluate(&format!("{shown}.every((one) => one.textContent.toLowerCase().includes('{word}'))")), json!(true));
    assert_eq!(browser.evaluate("document.getElementById('shown').textContent"), json!(format!("{found} of {all}")));
    browser.press("Escape");
    assert_eq!(browser.evaluate("document.querySelectorAll('[data-entry][hidden], [data-block][hidden]').length"), json!(0));
    browser.evaluate("document.querySelector('.chip').click()");
    let chip = browser.evaluate("document.querySelector('.chip').dataset.value");
    let has_it = format!("{shown}.every((one) => (one.dataset.risk || '').includes({chip}) || one.dataset.operation === {chip})");
    assert_eq!((browser.evaluate(&has_it), browser.evaluate(&format!("{shown}.length > 0"))), (json!(true), json!(true)), "{chip}");
    assert_eq!(browser.complaints(), [""; 0]);
}

/// Asserts that nothing of a tenant runs, and that the policy would stop it.
fn assert_inert(browser: &mut Browser, page: &Path, title: &str) {
    browser.open(page);
    assert_eq!(browser.complaints(), [""; 0], "{}", page.display());
    let held = browser.evaluate("[typeof window.pwned, document.title, document.scripts.length, document.images.length, document.body.textContent.includes('window.pwned=1')]");
    assert_eq!(held, json!(["undefined", title, 1, 0, true]));
    let injected = "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.pwned=1\">'); const one = document.createElement('script'); one.textContent = 'window.pwned=1'; document.body.append(one);";
    browser.evaluate(&format!("{{ {injected} }} new Promise((done) => setTimeout(() => done(typeof window.pwned), 50))"));
    assert_eq!(browser.evaluate("typeof window.pwned"), json!("undefined"), "the policy stops what is added");
    assert!(!browser.complaints().is_empty(), "the browser reports what the policy stopped");
}

#[test]
#[ignore = "slow: run by .ci/run"]
fn pages_can_be_read_and_filtered_in_a_browser() {
    let Some(mut browser) = Browser::start() else { return skip("there is no chromium") };
    for (at, page) in pages(&Fixture::acme("")).iter().enumerate() {
        let name = ["plan", "run"][at];
        assert_readable(&mut browser, page, name);
        assert_filters(&mut browser, page, "callback");
    }
}

#[test]
#[ignore = "slow: run by .ci/run"]
fn pages_run_nothing_of_a_tenant() {
    let Some(mut browser) = Browser::start() else { return skip("there is no chromium") };
    let fixture = hostile();
    for (page, (name, title)) in pages(&fixture).iter().zip([("hostile-plan", "Plan: dev → prod"), ("hostile-run", "dev → prod")]) {
        assert_readable(&mut browser, page, name);
        assert_inert(&mut browser, page, title);
    }
}

#[test]
#[ignore = "slow: run by .ci/run"]
fn pages_are_complete_without_their_script() {
    let Some(mut browser) = Browser::start() else { return skip("there is no chromium") };
    browser.call("Emulation.setScriptExecutionDisabled", &json!({"value": true}));
    let fixture = Fixture::acme("");
    let page = pages(&fixture).remove(0);
    browser.open(&page);
    let held = browser.evaluate("[document.getElementById('tools').checkVisibility(), document.querySelectorAll('main details').length > 0, document.querySelectorAll('main [hidden]').length]");
    assert_eq!(held, json!([false, true, 0]));
    assert_eq!(browser.complaints(), [""; 0]);
}
