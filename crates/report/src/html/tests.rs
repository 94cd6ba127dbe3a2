use super::*;

#[test]
fn json_cannot_end_its_script() {
    assert_eq!(json_in_html("[\"</script><!--&\"]"), "[\"\\u003c/script\\u003e\\u003c!--\\u0026\"]");
    assert_eq!(xml("<a b='c' d=\"e\">&\u{0}\u{202e}"), "&lt;a b=&#39;c&#39; d=&quot;e&quot;&gt;&amp;\u{fffd}\u{fffd}");
}

#[test]
fn the_page_itself_is_small() {
    let bytes = page(&Picture::default(), 900.0, Purpose::Live { nonce: "n" }).len();
    assert!(bytes < 24 << 10, "{bytes} bytes without numbers");
}
