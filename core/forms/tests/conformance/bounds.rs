//! Files made to do harm: each is refused with its place, or read in bounded work.

use std::cell::Cell;
use std::fmt::Write as _;
use std::io::{Cursor, Write as _};
use std::thread;

use merestone_forms::NamedFile;
use merestone_forms::expr::{DEPTH_MAX, Wrong};
use merestone_forms::expr::{Documents, EvalError, Expression, Focus, Moment, NodeId, ParseError, Surroundings, Value};
use merestone_forms::model::Model;
use merestone_forms::refused::{FormRefused, Reason};
use zip::write::SimpleFileOptions;

fn read(name: &str, bytes: &[u8]) -> Result<Model, FormRefused> {
    Model::read(NamedFile { name, bytes }, &[])
}

fn refused(name: &str, bytes: &[u8]) -> FormRefused {
    read(name, bytes).err().unwrap_or_else(|| panic!("{name} was read"))
}

/// An XForm with these instances beside `<d>`, this in its model, and this in its body.
fn xform(primary: &str, model: &str, body: &str) -> String {
    format!(
        "<h:html xmlns=\"http://www.w3.org/2002/xforms\" xmlns:h=\"http://www.w3.org/1999/xhtml\"><h:head><h:title>t</h:title>\
         <model><instance><d id=\"d\">{primary}</d></instance>{model}</model></h:head><h:body>{body}</h:body></h:html>"
    )
}

#[test]
fn groups_that_are_ten_thousand_deep_are_refused_at_the_first_that_is_too_deep() {
    let mut sheet = "survey\n,type,name\n".to_owned();
    for depth in 0..10_000 {
        writeln!(sheet, ",begin group,g{depth}").expect("a text can be written to");
    }
    let found = refused("deep.csv", sheet.as_bytes());
    assert_eq!((found.sheet.as_str(), found.row, found.reason), ("survey", 35, Reason::TooDeep));
    let nested = |name: &str| format!("{}{}", format!("<{name}>").repeat(10_000), format!("</{name}>").repeat(10_000));
    assert_eq!(refused("deep.xml", xform(&nested("g"), "", "").as_bytes()).reason, Reason::TooDeep);
    assert_eq!(refused("deep.xml", xform("<a/>", "", &nested("group")).as_bytes()).reason, Reason::TooDeep);
    let instance = format!("<instance id=\"x\">{}</instance>", nested("r"));
    assert_eq!(refused("deep.xml", xform("<a/>", &instance, "").as_bytes()).reason, Reason::TooDeep);
}

#[test]
fn an_element_with_sixty_thousand_attributes_is_refused_before_they_are_compared() {
    let mut attributes = String::new();
    for number in 0..60_000 {
        write!(attributes, " a{number}=''").expect("a text can be written to");
    }
    let found = refused("wide.xml", xform(&format!("<a{attributes}/>"), "", "").as_bytes());
    assert!(matches!(found.reason, Reason::Xml(ref why) if why.contains("128 attributes")), "{found:?}");
    let places: String = (0..2_000).map(|number| format!("<a xmlns:n{number}='n'/>")).collect();
    let found = refused("wide.xml", xform(&places, "", "").as_bytes());
    assert!(matches!(found.reason, Reason::Xml(ref why) if why.contains("1024 namespaces")), "{found:?}");
}

#[test]
fn a_million_choices_are_refused_where_they_become_too_many() {
    let mut sheet = "survey\n,type,name,label\n,select_one a,q,Q\nchoices\n,list_name,name,label\n".to_owned();
    for number in 0..1_000_000 {
        writeln!(sheet, ",a,{number},{number}").expect("a text can be written to");
    }
    let found = refused("many.csv", sheet.as_bytes());
    assert_eq!((found.row, found.reason.to_string().as_str()), (200_001, "more than 200000 rows"));
    let items = "<item><name>a</name></item>".repeat(1_000_000);
    let instance = format!("<instance id=\"x\"><root>{items}</root></instance>");
    assert_eq!(
        refused("many.xml", xform("<a/>", &instance, "").as_bytes()).reason.to_string(),
        "more than 1200000 elements, attributes and texts"
    );
}

#[test]
fn entities_are_not_declared() {
    let mut bomb = "<!DOCTYPE h [<!ENTITY a \"aaaaaaaaaa\">".to_owned();
    for (name, of) in ["b", "c", "d", "e", "f", "g", "h"].iter().zip(["a", "b", "c", "d", "e", "f", "g"]) {
        write!(bomb, "<!ENTITY {name} \"{}\">", format!("&{of};").repeat(10)).expect("a text can be written to");
    }
    let bomb = bomb + "]>" + &xform("<a>&h;</a>", "", "");
    let found = refused("bomb.xml", bomb.as_bytes());
    assert!(matches!(found.reason, Reason::Xml(ref why) if why.contains("document type")), "{found}");
    let outside = "<!DOCTYPE h [<!ENTITY a SYSTEM \"file:///etc/passwd\">]>".to_owned() + &xform("<a>&a;</a>", "", "");
    assert!(matches!(refused("outside.xml", outside.as_bytes()).reason, Reason::Xml(_)));
}

/// An `.xlsx` whose one sheet, the survey, has these rows; and one more part.
fn xlsx(rows: &str, strings: &str, more: &[u8]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let package = "http://schemas.openxmlformats.org/package/2006/relationships";
    let parts = [
        (
            "[Content_Types].xml",
            "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>".to_owned(),
        ),
        (
            "_rels/.rels",
            format!(
                "<Relationships xmlns=\"{package}\"><Relationship Id=\"r1\" Type=\"{office}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            format!(
                "<Relationships xmlns=\"{package}\"><Relationship Id=\"r1\" Type=\"{office}/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/workbook.xml",
            format!(
                "<workbook xmlns=\"{main}\" xmlns:r=\"{office}\"><sheets><sheet name=\"survey\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>"
            ),
        ),
        ("xl/sharedStrings.xml", format!("<sst xmlns=\"{main}\" {strings}></sst>")),
        ("xl/worksheets/sheet1.xml", format!("<worksheet xmlns=\"{main}\"><sheetData>{rows}</sheetData></worksheet>")),
    ];
    for (name, text) in parts {
        archive.start_file(name, SimpleFileOptions::default()).expect("a part can be begun");
        archive.write_all(text.as_bytes()).expect("a part can be written");
    }
    archive.start_file("xl/media/image1.png", SimpleFileOptions::default()).expect("a part can be begun");
    archive.write_all(more).expect("a part can be written");
    archive.finish().expect("the archive can be finished").into_inner()
}

fn cell(place: &str, text: &str) -> String {
    format!("<c r=\"{place}\" t=\"inlineStr\"><is><t>{text}</t></is></c>")
}

fn survey(further: &str) -> String {
    let heading = cell("A1", "type") + &cell("B1", "name") + &cell("C1", "label");
    let question = cell("A2", "text") + &cell("B2", "q") + &cell("C2", "Q");
    format!("<row r=\"1\">{heading}</row><row r=\"2\">{question}</row>{further}")
}

#[test]
fn archives_that_unpack_to_too_much_are_refused_before_they_are_read() {
    assert_eq!(read("plain.xlsx", &xlsx(&survey(""), "", b"")).map(|model| model.nodes.len()), Ok(4));
    let bomb = xlsx(&survey(""), "", &vec![0; 97 << 20]);
    assert!(bomb.len() < 1 << 20, "{} bytes", bomb.len());
    assert_eq!(refused("bomb.xlsx", &bomb).reason.to_string(), "more than 100663296 bytes in the workbook, unpacked");
    // Room is made for as many texts as a workbook says it shares.
    let claim = xlsx(&survey(""), "uniqueCount = \n '999999999999'", b"");
    assert_eq!(refused("claim.xlsx", &claim).reason.to_string(), "more than 1000000 shared texts");
}

#[test]
fn sheets_that_reach_to_their_last_cell_take_what_their_filled_cells_take() {
    let mut rows = String::new();
    for row in 3..=1_048_576 {
        write!(rows, "<row r=\"{row}\"/>").expect("a text can be written to");
    }
    assert_eq!(read("blank.xlsx", &xlsx(&survey(&rows), "", b"")).map(|model| model.nodes.len()), Ok(4));
    let far = format!("<row r=\"1048576\">{}</row>", cell("XFD1048576", "x"));
    let model = read("far.xlsx", &xlsx(&survey(&far), "", b"")).expect("a cell that is far is one cell");
    assert_eq!((model.notices[0].row, model.notices[0].column.as_str()), (1_048_576, "XFD"));
    let mut heading = cell("A1", "type") + &cell("B1", "name");
    write!(heading, "{}", cell("XFD1", "label")).expect("a text can be written to");
    let wide = format!("<row r=\"1\">{heading}</row><row r=\"2\">{}</row>", cell("A2", "text") + &cell("B2", "q"));
    assert_eq!(read("wide.xlsx", &xlsx(&wide, "", b"")).map(|model| model.nodes.len()), Ok(4));
}

/// A compound file with a stream `Workbook` of these records; `next` follows the directory's sector.
fn xls(records: &[(u16, Vec<u8>)], next: u32) -> Vec<u8> {
    let mut stream: Vec<u8> = Vec::new();
    for (kind, data) in records {
        stream.extend(kind.to_le_bytes());
        stream.extend(u16::try_from(data.len()).expect("a record is short").to_le_bytes());
        stream.extend(data);
    }
    stream.resize(stream.len().max(4_096).next_multiple_of(512), 0);
    let mut file = vec![0; 512];
    file[..8].copy_from_slice(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
    let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
    for (at, value) in [(26, 3u16), (28, 0xfffe), (30, 9), (32, 6)] {
        put(at, &value.to_le_bytes());
    }
    // One sector of the table, the directory in sector 1, no small streams, no further tables.
    for (at, value) in [(44, 1u32), (48, 1), (56, 4_096), (60, 0xffff_fffe), (64, 0), (68, 0xffff_fffe), (72, 0)] {
        put(at, &value.to_le_bytes());
    }
    (0..109).for_each(|index| put(76 + index * 4, &(if index == 0 { 0u32 } else { 0xffff_ffff }).to_le_bytes()));
    let sectors = stream.len() / 512;
    let mut table: Vec<u32> = vec![0xffff_fffd, next];
    table.extend(
        (0..sectors).map(|index| {
            if index + 1 == sectors { 0xffff_fffe } else { u32::try_from(index + 3).expect("a small file") }
        }),
    );
    table.resize(128, 0xffff_ffff);
    file.extend(table.iter().flat_map(|id| id.to_le_bytes()));
    let mut directory = vec![0; 512];
    let entry = |name: &str, kind: u8, begins: u32, length: u32| {
        let mut entry: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        entry.resize(128, 0);
        entry[64..66].copy_from_slice(&u16::try_from(name.len() * 2 + 2).expect("a short name").to_le_bytes());
        entry[66] = kind;
        entry[116..120].copy_from_slice(&begins.to_le_bytes());
        entry[120..124].copy_from_slice(&length.to_le_bytes());
        entry
    };
    directory[..128].copy_from_slice(&entry("Root Entry", 5, 0xffff_fffe, 0));
    directory[128..256].copy_from_slice(&entry("Workbook", 2, 2, u32::try_from(stream.len()).expect("a small file")));
    file.extend(directory);
    file.extend(stream);
    file
}

/// The records of a workbook with a survey of one question, whose sheet says that it holds these rows and columns.
fn old_survey(first: u32, last: u32, columns: u16) -> Vec<(u16, Vec<u8>)> {
    let text = |text: &str| [&[0], text.as_bytes()].concat();
    let label = |row: u16, column: u16, words: &str| {
        let length = u16::try_from(words.len()).expect("a short text");
        let data: Vec<u8> =
            [row, column, 0, length].iter().flat_map(|two| two.to_le_bytes()).chain(text(words)).collect();
        (0x0204, data)
    };
    let extent = [&first.to_le_bytes()[..], &last.to_le_bytes(), &[0, 0], &columns.to_le_bytes(), &[0, 0]].concat();
    let bof = (0x0809, vec![0, 6, 5, 0, 0, 0, 0, 0]);
    let end = (0x000a, vec![]);
    let name = [&[6][..], &text("survey")].concat();
    // After the beginning, this record and an end.
    let begins = u32::try_from(12 + 4 + 6 + name.len() + 4).expect("a small file");
    let sheet = [&begins.to_le_bytes()[..], &[0, 0], &name].concat();
    let cells = [label(0, 0, "type"), label(0, 1, "name"), label(1, 0, "text"), label(1, 1, "q")];
    [vec![bof.clone(), (0x0085, sheet), end.clone(), bof, (0x0200, extent)], cells.to_vec(), vec![end]].concat()
}

#[test]
fn old_workbooks_are_looked_at_before_they_are_believed() {
    let number = |row: u16, column: u16| {
        let mut data = vec![0; 14];
        data[..2].copy_from_slice(&row.to_le_bytes());
        data[2..4].copy_from_slice(&column.to_le_bytes());
        (0x0203, data)
    };
    let bof = || (0x0809, vec![0, 6, 5, 0, 0, 0, 0, 0]);
    const END: u32 = 0xffff_fffe;
    // What a sheet says of its own extent is not believed: not a million rows as an office program writes them, not
    // four billion, and not a last row above the first.
    for (first, last, columns) in [(0, 1_048_576, 9), (0, u32::MAX, u16::MAX), (7, 2, 3), (u32::MAX, 0, 0)] {
        let model = read("claim.xls", &xls(&old_survey(first, last, columns), END));
        assert_eq!(model.map(|model| model.nodes.len()), Ok(4), "{first} to {last}, {columns}");
    }
    let corners = xls(&[bof(), number(0, 0), number(65_535, 255)], END);
    assert_eq!(
        refused("corners.xls", &corners).reason.to_string(),
        "more than 2000000 cells between the first and the last of a sheet"
    );
    // The directory is followed by itself.
    assert_eq!(refused("circle.xls", &xls(&[bof()], 1)).reason, Reason::NotAWorkbook);
    let short = xls(&[bof(), (0x0203, vec![0])], END);
    assert_eq!(refused("short.xls", &short).reason, Reason::NotAWorkbook);
    for length in (0..corners.len()).step_by(97) {
        assert!(read("cut.xls", &corners[..length]).is_err());
    }
}

struct Still(Cell<u64>);

impl Surroundings for Still {
    fn now(&self) -> Moment {
        Moment::read("2024-05-06", 0).expect("this is a day")
    }
    fn random(&self) -> u64 {
        self.0.set(self.0.get() + 1);
        self.0.get()
    }
    fn choice_label(&self, _: NodeId, _: &str) -> Option<String> {
        None
    }
    fn translation(&self, _: &str) -> Option<String> {
        None
    }
}

fn evaluate(documents: &Documents, text: &str, root: NodeId) -> Result<Value, EvalError> {
    let expression = Expression::parse(text).expect("it can be parsed");
    expression.evaluate(documents, &Still(Cell::new(0)), Focus::at(root))
}

#[test]
fn expressions_as_deep_as_they_may_be_need_little_stack_and_deeper_ones_are_refused() {
    let nested = |depth: usize| format!("{}1{}", "if(1=1, ".repeat(depth), ", 2)".repeat(depth));
    let deepest = nested(DEPTH_MAX - 1);
    let small = thread::Builder::new().stack_size(2 << 20);
    let value = small.spawn(move || {
        let mut documents = Documents::default();
        let root = documents.add("", "data");
        evaluate(&documents, &deepest, root)
    });
    assert_eq!(value.expect("a thread can begin").join().expect("it ends"), Ok(Value::Number(1.0)));
    for text in [nested(10_000), "(".repeat(10_000), "a[".repeat(10_000), format!("{}1", "-(".repeat(10_000))] {
        let wrong = Expression::parse(&text).map_err(|error| error.wrong);
        assert!(matches!(wrong, Err(Wrong::TooDeep)), "{wrong:?}");
    }
    let long = "1+".repeat(200_000);
    assert_eq!(Expression::parse(&long).err(), Some(ParseError { at: 0, wrong: Wrong::TooLong }));
    assert!(Expression::parse(&format!("{}1", "1 + ".repeat(50_000))).is_ok());
    assert!(Expression::parse(&format!("{}1", "-".repeat(100_000))).is_ok());
}

#[test]
fn what_an_expression_may_do_is_counted() {
    let mut documents = Documents::default();
    let root = documents.add("", "data");
    for _ in 0..2_000 {
        documents.append(root, "a");
    }
    for text in [
        "count(//*[count(//*) > 0])",
        "count(a[count(../a[count(../a) > 0]) > 0])",
        "a != a[count(../a) = 0] or count(//a//..//a) > 0",
    ] {
        assert_eq!(evaluate(&documents, text, root), Err(EvalError::Budget), "{text}");
    }
    let doubled = (0..60).fold("'0123456789abcdef'".to_owned(), |text, _| format!("concat({text}, '')"));
    assert!(evaluate(&documents, &doubled, root).is_ok());
}

#[test]
fn data_beside_a_form_is_bounded_as_the_form_is() {
    let form = "| survey |\n| | type | name | label |\n| | select_one_from_file places.geojson | q | Q |\n";
    let with = |name: &str, bytes: &[u8]| {
        let form = NamedFile { name: "f.md", bytes: &form.replace("places.geojson", name).into_bytes() };
        Model::read(form, &[NamedFile { name, bytes }]).map(|model| model.notices.len())
    };
    let deep = format!("{{\"features\": {}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(matches!(with("places.geojson", deep.as_bytes()).map_err(|e| e.reason), Err(Reason::GeoJson(_))));
    let rows = "a,b\n".repeat(300_000);
    let found = with("places.csv", rows.as_bytes()).expect_err("there are too many rows");
    assert_eq!(
        (found.sheet.as_str(), found.row, found.reason.to_string().as_str()),
        ("places.csv", 200_001, "more than 200000 rows")
    );
    let doctype = "<!DOCTYPE r [<!ENTITY a \"b\">]><root>&a;</root>";
    assert!(matches!(with("places.xml", doctype.as_bytes()).map_err(|e| e.reason), Err(Reason::Xml(_))));
    assert_eq!(with("places.csv", b"name,label\na,A\n"), Ok(0));
}

#[test]
fn broken_patterns_are_refused_with_their_place() {
    let form = "| survey |\n| | type | name | label | constraint |\n| | text | q | Q | regex(., '[a-') |\n";
    let found = refused("f.md", form.as_bytes());
    assert_eq!((found.sheet.as_str(), found.row, found.column.as_str()), ("survey", 3, "constraint"));
    assert!(matches!(found.reason, Reason::Expression(ParseError { wrong: Wrong::Pattern, .. })));
}

#[test]
fn hostile_labels_stay_text() {
    let label = "<script>alert(1)</script> & \"x\" ]]>";
    let form = format!("| survey |\n| | type | name | label |\n| | text | q | {label} |\n");
    let model = read("f.md", form.as_bytes()).expect("it is a form");
    let text = |model: &Model| model.nodes[1].label.in_language(None).map(|text| text.plain.clone());
    assert_eq!(text(&model).as_deref(), Some(label));
    let escaped = label.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let body = format!("<input ref=\"/d/q\"><label>{escaped}</label></input>");
    let model = read("f.xml", xform("<q/>", "", &body).as_bytes()).expect("it is a form");
    assert_eq!(text(&model).as_deref(), Some(label));
}
