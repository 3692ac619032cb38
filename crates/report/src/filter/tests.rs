use super::*;

fn wrong(text: &str) -> (usize, String) {
    let error = text.parse::<Filter>().expect_err("a mistake");
    (error.position, error.what)
}

#[test]
fn mistakes_say_where_and_what_would_be_right() {
    assert_eq!(wrong(""), (1, "a test such as symbol=main or image~'lib.*' is missing".to_owned()));
    assert_eq!(wrong("symbol").0, 7);
    let (position, what) = wrong("symbol=main and colour=red");
    assert!(position == 17 && what.starts_with("'colour' is none of app, image, symbol"), "{what}");
    assert_eq!(wrong("(symbol=a").1, "a ) is missing");
    assert_eq!(wrong("symbol=a symbol=b").0, 10);
    assert_eq!(wrong("cpu=x").1, "cpu is a number such as 3, or a range such as 0..3");
    assert_eq!(wrong("line>3").1, "line is no number: use = != ~ or !~");
    assert_eq!(wrong("kernel=maybe").1, "use kernel=yes or kernel=no");
    assert!(wrong("symbol~'('").1.starts_with("no regular expression"));
    assert_eq!(wrong("symbol='a").1, "' is not closed");
    assert!(wrong(&"(".repeat(1000)).1.contains("too deep"));
    assert!(wrong(&"not ".repeat(1000)).1.contains("too deep"));
}

#[test]
fn what_is_right_is_read() {
    for text in [
        "symbol=alpha,beta and not (image=libc* or cpu=0..3,7)",
        "image=[kernel]",
        "command~'^make .*test' or pid>100",
        "event!=CYCLES",
        "symbol = 'operator new(unsigned long)'",
        "symbol!~^_",
        "line=file.c:10",
    ] {
        assert!(text.parse::<Filter>().is_ok(), "{text}: {:?}", text.parse::<Filter>());
    }
}
