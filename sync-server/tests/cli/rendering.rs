//! A form as a page, in a real browser: conditions, constraints, rows and languages live, and hostile labels inert.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::skip::skip;
use crate::world::World;

/// Opens pages in Chromium through its debugging pipe, evaluates what it is told, and writes the results.
const DRIVER: &str = r#"
const { spawn } = require("child_process");
const { browser, home, pages } = JSON.parse(require("fs").readFileSync(0, "utf8"));
const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--user-data-dir=" + home, "about:blank"];
const child = spawn(browser, flags, { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
let next = 1, buffer = "";
const waiting = new Map(), heard = [];
child.stdio[4].on("data", (bytes) => {
  buffer += bytes;
  for (let end; (end = buffer.indexOf("\0")) >= 0; buffer = buffer.slice(end + 1)) {
    const message = JSON.parse(buffer.slice(0, end));
    if (message.id) waiting.get(message.id)(message.result || message.error);
    else heard.push(message);
  }
});
const send = (method, params = {}, sessionId) => new Promise((done) => {
  waiting.set(next, done);
  child.stdio[3].write(JSON.stringify({ id: next++, method, params, sessionId }) + "\0");
});
(async () => {
  const { targetId } = await send("Target.createTarget", { url: "about:blank" });
  const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
  const on = (method, params) => send(method, params, sessionId);
  await on("Page.enable"); await on("Runtime.enable");
  const results = [];
  for (const { url, steps } of pages) {
    heard.length = 0;
    await on("Page.navigate", { url });
    while (!heard.some((one) => one.method === "Page.loadEventFired")) await on("Runtime.evaluate", { expression: "1" });
    const said = [];
    for (const expression of steps) {
      const { result, exceptionDetails } = await on("Runtime.evaluate", { expression, returnByValue: true });
      said.push(exceptionDetails ? "error: " + JSON.stringify(exceptionDetails).slice(0, 400) : result.value);
    }
    const alarms = heard.filter((one) => ["Page.javascriptDialogOpening", "Runtime.exceptionThrown"].includes(one.method));
    results.push({ said, alarms: alarms.map((one) => JSON.stringify(one.params).slice(0, 400)) });
  }
  process.stdout.write(JSON.stringify(results));
  child.kill();
})();
"#;

/// What pages say to each step, and what went wrong on them.
fn browse(world: &World, browser: &str, pages: &Value) -> Vec<Value> {
    let mut node = Command::new("node");
    let mut child =
        node.args(["-e", DRIVER]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("node was there");
    let input = json!({ "browser": browser, "home": world.path("browser"), "pages": pages }).to_string();
    child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("node reads");
    let output = child.wait_with_output().expect("node ends");
    serde_json::from_slice(&output.stdout).expect("the driver writes JSON")
}

fn is_there(command: &str) -> bool {
    Command::new(command)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|s| s.success())
}

const FORM: &str = "| survey |
| | type | name | label::English (en) | label::العربية (ar) | relevant | required | constraint | constraint_message::English (en) | constraint_message::العربية (ar) | calculation |
| | integer | low | At least ${high} | الأدنى | | yes | . <= ${high} | Not above high. | ليس فوق الأعلى | |
| | integer | high | At most | الأعلى | | | | | | |
| | text | why | Why <img src=x onerror=alert(1)> | لماذا | ${high} > 10 | | | | | |
| | begin_repeat | person | Person | شخص | | | | | | |
| | integer | age | Age | العمر | | | | | | |
| | end_repeat | | | | | | | | | |
| | note | sum | Ages: ${total} | المجموع | | | | | | |
| | calculate | total | | | | | | | | sum(${age}) |
| settings |
| | form_id | form_title | version |
| | live | Live </script><script>alert(2)</script> | 1 |
";

/// A question of each kind that a page could get wrong unsaid.
const KINDS: &str = "| survey |
| | type | name | label | parameters | required |
| | integer | whole | Whole | | |
| | range | level | Level | start=0 end=1 step=0.5 | |
| | rank order | order | Order | | |
| | select_one order | one | One | randomize=true | |
| | select_one_from_file absent.csv | far | Far | | |
| choices |
| | list_name | name | label | media::image |
| | order | a | Aa | a.jpg |
| | order | b | Bb | |
| settings |
| | form_id | form_title | version |
| | kinds | Kinds | 1 |
";

/// Helpers on the page: the box of a question by its label's beginning, and typing into it.
const HELPERS: &str = "window.box = (text) => [...document.querySelectorAll('.question,.note')].find((one) => one.textContent.trim().startsWith(text)); \
    window.put = (text, value) => { const input = box(text).querySelector('input'); input.value = value; input.dispatchEvent(new Event('input', { bubbles: true })); }; 1";

#[test]
fn a_page_follows_the_rules_of_its_form_in_a_browser() {
    let Some(browser) = ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| is_there(name))
    else {
        return skip("there is no Chromium to show a form's page in");
    };
    if !is_there("node") {
        return skip("there is no node to drive a browser");
    }
    let world = World::new();
    world.write("live.md", FORM.as_bytes());
    let render = |form: &str, page: &str| world.json(&["form", "render", form, "--out", page]);
    render("live.md", "live.html");
    let url = |page: &str| format!("file://{}", world.path(page).display());
    let mut pages = vec![json!({ "url": url("live.html"), "steps": [
        HELPERS,
        "box('Why').hidden",
        "put('At most', '12'); box('Why').hidden",
        "put('At least', '13'); box('At least 12').querySelector('.problem').textContent",
        "put('At least', '12'); box('At least 12').querySelector('.problem').hidden",
        "[...document.querySelectorAll('button')].find((one) => one.textContent.startsWith('Add')).click(); \
         [...document.querySelectorAll('button')].find((one) => one.textContent.startsWith('Add')).click(); \
         document.querySelectorAll('section.row').length",
        "document.querySelectorAll('section.row input').forEach((input, at) => { input.value = String(at + 4); input.dispatchEvent(new Event('input', { bubbles: true })); }); box('Ages').textContent",
        "document.querySelector('section.row button').click(); box('Ages').textContent",
        "const select = document.querySelector('select'); select.value = '1'; select.dispatchEvent(new Event('change')); \
         document.documentElement.dir + ' ' + document.querySelector('.label').textContent",
        "JSON.stringify(Object.values(answers().answers).sort())",
        "document.querySelectorAll('img,iframe').length",
    ] })];
    world.write("kinds.md", KINDS.as_bytes());
    render("kinds.md", "kinds.html");
    pages.push(json!({ "url": url("kinds.html"), "steps": [
        HELPERS,
        "window.saved = 0; URL.createObjectURL = () => { saved++; return 'about:blank'; }; HTMLAnchorElement.prototype.click = () => {}; \
         window.press = (text) => [...document.querySelectorAll('button')].find((one) => one.textContent === text).click(); 1",
        "put('Whole', '12x'); press('Save what was tried'); saved + ' ' + document.querySelector('[role=status]').textContent + ' ' + answers().answers.whole",
        "put('Whole', '123456789012345678'); answers().answers.whole",
        "put('Whole', '12'); press('Save what was tried'); saved + ' ' + JSON.stringify(answers().answers)",
        "box('Level').querySelector('.ends').textContent",
        "put('Level', '0.7'); box('Level').querySelector('.problem').textContent",
        "put('Level', '0.5'); box('Level').querySelector('.problem').textContent",
        "const tick = (at) => box('Order').querySelectorAll('input')[at].click(); tick(1); const half = box('Order').querySelector('.problem').textContent; \
         tick(0); half + answers().answers.order + box('Order').querySelector('.problem').textContent",
        "const radio = (at) => box('One').querySelectorAll('input')[at].click(); radio(0); const was = answers().answers.one; radio(2); [was, answers().answers.one === undefined].join()",
        "document.getElementById(box('One').querySelector('[role=radiogroup]').getAttribute('aria-labelledby')).textContent",
        "box('Far').querySelector('.problem').textContent",
        "document.querySelector('.missing').textContent",
        "document.querySelector('header').textContent.includes('enters no mission')",
    ] }));
    let shared = std::env::var("MERESTONE_SHARED").unwrap_or_else(|_| "../../shared".to_owned());
    let hostile: Vec<_> = ["XSS-test.xml", "svg-xss-test.xml", "malicious-svg.xml"]
        .into_iter()
        .map(|name| Path::new(&shared).join("fixtures/forms/enketo").join(name))
        .filter(|path| path.is_file())
        .collect();
    if hostile.is_empty() {
        skip("the hostile forms of Enketo are not there");
    }
    for (number, form) in hostile.iter().enumerate() {
        let (form, page) = (form.canonicalize().expect("a file"), format!("hostile-{number}.html"));
        render(form.to_str().expect("a path of the test"), &page);
        let step = "[document.querySelectorAll('main img,main iframe,main svg,main a').length, document.querySelectorAll('.question').length > 0]";
        pages.push(json!({ "url": url(&page), "steps": [step] }));
    }
    let results = browse(&world, browser, &json!(pages));
    let said: Vec<&Value> = results[0]["said"].as_array().expect("a list").iter().collect();
    let wanted = [
        json!(1),
        json!(true),
        json!(false),
        json!("Not above high."),
        json!(true),
        json!(2),
        json!("Ages: 9"),
        json!("Ages: 5"),
        json!("rtl الأدنى"),
        json!("[12,12,5]"),
        json!(0),
    ];
    assert_eq!(said, wanted.iter().collect::<Vec<_>>());
    let said: Vec<&Value> = results[1]["said"].as_array().expect("a list").iter().collect();
    let wanted = [
        json!(1),
        json!(1),
        json!("0 Cannot be saved, not of their kind: Whole 12x"),
        json!("123456789012345678"),
        json!("1 {\"whole\":12}"),
        json!("0 … 1 (± 0.5)"),
        json!("This is no answer of this kind."),
        json!(""),
        json!("This is no answer of this kind.b a"),
        json!("a,true"),
        json!("One"),
        json!("The choices are in a file that is not here: absent.csv"),
        json!("Not on this page: pictures, sounds and videos, choices in an order by chance"),
        json!(true),
    ];
    assert_eq!(said, wanted.iter().collect::<Vec<_>>());
    for (number, result) in results.iter().enumerate() {
        assert_eq!(result["alarms"], json!([]), "page {number}");
    }
    for result in &results[2..] {
        assert_eq!(result["said"][0], json!([0, true]));
    }
}
