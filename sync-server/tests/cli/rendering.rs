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

/// The browser, where there is one and something to drive it.
fn browser() -> Option<&'static str> {
    let browser = ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| is_there(name));
    if browser.is_none() {
        skip("there is no Chromium to show a form's page in");
    }
    if !is_there("node") {
        skip("there is no node to drive a browser");
        return None;
    }
    browser
}

/// Marks in labels, patterns, rows without end, and what a person with a keyboard or a screen reader has.
const HARD: &str = "| survey |
| | type | name | label::English (en) | label::العربية (ar) | hint::English (en) | hint::العربية (ar) | required | constraint | constraint_message::English (en) | constraint_message::العربية (ar) | repeat_count | appearance |
| | integer | n | Rows | صفوف | | | | | | | | |
| | begin_repeat | outer | Outer | خارجي | | | | | | | ${n} | |
| | begin_repeat | inner | Inner | داخلي | | | | | | | ${n} | |
| | integer | x | X | س | | | | | | | | |
| | end_repeat | | | | | | | | | | | |
| | end_repeat | | | | | | | | | | | |
| | text | code | **Code** of <span style=\"color:red\" onclick=\"alert(3)\">${who}</span>&nbsp;_now_ | رمز | # In capitals | بأحرف كبيرة | yes | regex(., '^([A-Z]+)+$') | Capitals only. | أحرف كبيرة فقط. | | |
| | text | pin | Pin | رقم | | | | regex(., '^(?=.*[0-9])[a-z0-9]+$') | With a digit. | برقم. | | |
| | text | who | Who | من | | | | | | | | |
| | decimal | depth | Depth | عمق | | | | . < 50 | Below 50. | دون 50. | | |
| | geopoint | spot | Spot | مكان | | | | | | | | |
| | select_one range | dist | Distance | مسافة | | | | | | | | |
| choices |
| | list_name | name | label::English (en) | label::العربية (ar) |
| | range | near | 0–5 km | 0–5 km |
| | range | far | **Far** away | بعيد |
| settings |
| | form_id | form_title | version | default_language |
| | hard | Hard | 1 | English (en) |
";

#[test]
fn a_page_keeps_its_bounds_shows_marks_as_styles_and_can_be_read_aloud() {
    let Some(browser) = browser() else { return };
    let world = World::new();
    let url = |page: &str| format!("file://{}", world.path(page).display());
    world.write("hard.md", HARD.as_bytes());
    world.json(&["form", "render", "hard.md", "--out", "hard.html"]);
    let rows: String = (0..20_000).map(|at| format!("place,p{at},{},Place {at} é\n", at % 4)).collect();
    world.write("choices.csv", format!("list_name,name,zone,label\n{rows}").as_bytes());
    let survey = "type,name,label,choice_filter\ninteger,zone,Zone,\nselect_one place,all,All,\n\
                  select_one place,some,Some,zone=${zone}\nselect_multiple place,many,Many,\n";
    world.write("survey.csv", survey.as_bytes());
    world.write("settings.csv", b"form_id,form_title,version\nlong,Long,1\n");
    world.json(&["form", "render", "survey.csv", "--out", "long.html"]);
    let hard = [
        (HELPERS, json!(1)),
        (
            "document.querySelector('.missing').textContent",
            json!("Not on this page: patterns that look ahead or refer back (the answers are taken unchecked)"),
        ),
        // Bold, emphasis and colour are styles of text; an answer's own marks are its text.
        (
            "put('Who', '<b>**Ann**</b>'); const label = box('Code').querySelector('.label'); label.textContent",
            json!("Code of <b>**Ann**</b>\u{a0}now"),
        ),
        (
            "[label.querySelector('.strong').textContent, label.querySelector('.emphasis').textContent, label.querySelector('.coloured').style.getPropertyValue('--colour'), label.querySelectorAll('b,[onclick]').length].join()",
            json!("Code,now,red,0"),
        ),
        ("box('Code').querySelector('.hint').textContent", json!("In capitals")),
        // A pattern that would have a browser's own matcher go back and forth for years.
        (
            "const begun = performance.now(); put('Code', 'A'.repeat(40) + '!'); const took = performance.now() - begun; (took < 1000) + box('Code').querySelector('.problem').textContent",
            json!("trueCapitals only."),
        ),
        (
            "const code = box('Code').querySelector('input'); const told = code.getAttribute('aria-describedby').split(' ').map((id) => document.getElementById(id).textContent).join('|'); [told, code.getAttribute('aria-invalid'), code.getAttribute('aria-required'), code.labels[0] === label].join()",
            json!("In capitals|Capitals only.,true,true,true"),
        ),
        ("put('Code', ''); box('Code').querySelector('.problem').textContent", json!("An answer is required.")),
        ("put('Pin', '!!'); box('Pin').querySelector('.problem').hidden", json!(true)),
        // Digits and commas as on a device.
        ("put('Depth', '٤٧٫٨'); answers().answers.depth", json!("47.8")),
        (
            "put('Depth', '47,8'); answers().answers.depth + box('Depth').querySelector('.problem').textContent",
            json!("47.8"),
        ),
        (
            "put('Depth', '1,500'); box('Depth').querySelector('.problem').textContent",
            json!("This is no answer of this kind."),
        ),
        ("put('Depth', '51'); box('Depth').querySelector('.problem').textContent", json!("Below 50.")),
        ("put('Spot', '47,12 8,5'); answers().answers.spot", json!("47.12 8.5")),
        // One bound over all rows, nested or not, and the page says so.
        (
            "[document.querySelector('.cut').hidden, (put('Rows', '1000'), document.querySelector('.cut').hidden)].join()",
            json!("true,false"),
        ),
        (
            "document.querySelectorAll('.row .question').length <= 5000 && document.querySelectorAll('.row').length > 1000",
            json!(true),
        ),
        (
            "put('Rows', '1e9'); put('Rows', '999999999999'); put('Rows', '2'); [document.querySelectorAll('.row').length, document.querySelector('.cut').hidden].join()",
            json!("6,true"),
        ),
        // Rows that the form counts again have the answers they had.
        (
            "put('X', '7'); put('Rows', '0'); put('Rows', ''); const none = document.querySelectorAll('.row').length; put('Rows', '2'); [none, document.querySelectorAll('.row').length, box('X').querySelector('input').value].join()",
            json!("0,6,7"),
        ),
        // Every answer has a name, and nothing is reached twice or out of order by the keyboard.
        (
            "[...document.querySelectorAll('input,select,textarea')].filter((one) => !one.labels.length && !one.getAttribute('aria-label') && !one.getAttribute('aria-labelledby')).length",
            json!(0),
        ),
        (
            "document.querySelectorAll('[tabindex]').length + new Set([...document.querySelectorAll('[id]')].map((one) => one.id)).size - document.querySelectorAll('[id]').length",
            json!(0),
        ),
        (
            "const chosen = document.querySelector('header select'); chosen.value = '1'; chosen.dispatchEvent(new Event('change')); [document.documentElement.dir, document.documentElement.lang, chosen.isConnected].join()",
            json!("rtl,ar,false"),
        ),
        (
            "const choices = [...document.querySelectorAll('.choice bdi')]; choices.map((one) => `${one.textContent} ${one.dir || 'page'}`).join('|')",
            json!("0–5 km ltr|بعيد page|بلا إجابة rtl"),
        ),
        (
            "box('عمق').querySelector('input').dir + getComputedStyle(box('عمق').querySelector('input')).textAlign + box('من').querySelector('input').dir",
            json!("ltrrightauto"),
        ),
        ("box('عمق').querySelector('.problem').textContent", json!("دون 50.")),
    ];
    let long = [
        (HELPERS, json!(1)),
        ("performance.getEntriesByType('navigation')[0].loadEventEnd < 5000", json!(true)),
        ("box('All').querySelectorAll('option').length", json!(201)),
        (
            "const search = (text, wanted) => { const input = box(text).querySelector('.search'); input.value = wanted; input.dispatchEvent(new Event('input')); }; search('All', 'PLACE 19999 e'); [...box('All').querySelectorAll('input')].slice(1).map((one) => one.value).join()",
            json!("p19999,"),
        ),
        (
            "box('All').querySelectorAll('input')[1].click(); search('All', ''); answers().answers.all + box('All').querySelector('select').value",
            json!("p19999p19999"),
        ),
        ("put('Zone', '3'); search('Some', 'p7'); box('Some').querySelector('option:nth-child(2)').value", json!("p7")),
        (
            "search('Many', 'place 12345'); box('Many').querySelector('.found input').click(); search('Many', 'place 54 '); box('Many').querySelector('.found input').click(); answers().answers.many",
            json!("p54 p12345"),
        ),
        ("const start = performance.now(); put('Zone', '2'); performance.now() - start < 3000", json!(true)),
    ];
    let steps = |all: &[(&str, Value)]| all.iter().map(|(step, _)| json!(step)).collect::<Vec<_>>();
    let pages = json!([
        { "url": url("hard.html"), "steps": steps(&hard) },
        { "url": url("long.html"), "steps": steps(&long) },
    ]);
    let results = browse(&world, browser, &pages);
    for (result, all) in results.iter().zip([&hard[..], &long[..]]) {
        for (said, (step, wanted)) in result["said"].as_array().expect("a list").iter().zip(all) {
            assert_eq!(said, wanted, "{step}");
        }
        assert_eq!(result["alarms"], json!([]));
    }
}

#[test]
fn a_page_follows_the_rules_of_its_form_in_a_browser() {
    let Some(browser) = browser() else { return };
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
        "const removal = () => document.querySelector('.removal button'); removal().click(); const asked = document.querySelector('.removal').textContent; \
         const still = box('Ages').textContent; removal().click(); [asked, still, box('Ages').textContent].join('|')",
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
         window.push = (text) => [...document.querySelectorAll('button')].find((one) => one.textContent === text).click(); 1",
        "put('Whole', '12x'); push('Save what was tried'); saved + ' ' + document.querySelector('[role=status]').textContent + ' ' + answers().answers.whole",
        "put('Whole', '123456789012345678'); answers().answers.whole",
        "put('Whole', '12'); push('Save what was tried'); saved + ' ' + JSON.stringify(answers().answers)",
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
        json!("Remove this with everything in it? Remove Keep|Ages: 9|Ages: 5"),
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
