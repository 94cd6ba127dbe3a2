//! The events of Nexmark: persons, auctions and bids of an online auction, one stream of three kinds of lines.
//!
//! Nexmark (Tucker, Tufte, Papadimos, Maier, 2008, after XMark) is the field's benchmark for stream processors. The data
//! are those of the crate `nexmark`, which follows the generator of Apache Beam; the names of the states are in capital
//! letters, as there. Event N depends on its number alone.

use std::io::Write;

use event_time::write_rfc3339;
use nexmark::EventGenerator;
use nexmark::config::NexmarkConfig;
use nexmark::event::Event;

/// No line is longer: descriptions and extra texts have a few hundred bytes.
pub const LINE_BYTES_MAX: usize = 2048;

const STATES: &str = "AZ,CA,ID,OR,WA,WY";
const CITIES: &str = "Phoenix,Los Angeles,San Francisco,Boise,Portland,Bend,Redmond,Seattle,Kent,Cheyenne";
const FIRST_NAMES: &str = "Peter,Paul,Luke,John,Saul,Vicky,Kate,Julie,Sarah,Deiter,Walter";
const LAST_NAMES: &str = "Shultz,Abrams,Spencer,White,Bartels,Walton,Smith,Jones,Noris";

/// An endless row of events.
pub struct Auctions {
    generator: EventGenerator,
}

impl Auctions {
    /// From this event on; in groups of so many they are out of order.
    pub fn new(start_ms: i64, events_per_second: u64, group: u64, first: u64) -> Self {
        let words = |list: &str| list.split(',').map(str::to_owned).collect();
        let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let config = NexmarkConfig {
            first_rate: count(events_per_second),
            next_rate: count(events_per_second),
            out_of_order_group_size: count(group.max(1)),
            base_time: u64::try_from(start_ms).unwrap_or(0),
            first_event_id: 0,
            us_states: words(STATES),
            us_cities: words(CITIES),
            first_names: words(FIRST_NAMES),
            last_names: words(LAST_NAMES),
            ..Default::default()
        };
        Self { generator: EventGenerator::new(config).with_offset(first) }
    }

    /// Appends the next event, without a newline.
    pub fn write_next(&mut self, line: &mut Vec<u8>) {
        let Some(event) = self.generator.next() else { return };
        // Texts are made of letters, digits and spaces: nothing in them needs an escape. Writing to memory cannot fail.
        let _ = match &event {
            Event::Person(person) => write!(
                line,
                r#"{{"event_type":"person","id":{},"name":"{}","email_address":"{}","credit_card":"{}","city":"{}","state":"{}","#,
                person.id, person.name, person.email_address, person.credit_card, person.city, person.state
            ),
            Event::Auction(auction) => write!(
                line,
                r#"{{"event_type":"auction","id":{},"item_name":"{}","description":"{}","initial_bid":{},"reserve":{},"#,
                auction.id, auction.item_name, auction.description, auction.initial_bid, auction.reserve
            ),
            Event::Bid(bid) => write!(
                line,
                r#"{{"event_type":"bid","auction":{},"bidder":{},"price":{},"channel":"{}","url":"{}","#,
                bid.auction, bid.bidder, bid.price, bid.channel, bid.url
            ),
        };
        time(line, "date_time", event.timestamp());
        if let Event::Auction(auction) = &event {
            line.push(b',');
            time(line, "expires", auction.expires);
            let _ = write!(line, r#","seller":{},"category":{}"#, auction.seller, auction.category);
        }
        let extra = match &event {
            Event::Person(person) => &person.extra,
            Event::Auction(auction) => &auction.extra,
            Event::Bid(bid) => &bid.extra,
        };
        let _ = write!(line, r#","extra":"{extra}"}}"#);
    }
}

fn time(line: &mut Vec<u8>, name: &str, time_ms: u64) {
    let _ = write!(line, "\"{name}\":\"");
    let start = line.len();
    write_rfc3339(i64::try_from(time_ms).unwrap_or(i64::MAX), line);
    // Always with milliseconds, as wide as any other.
    if line.len() - start == "2026-01-01T00:00:00Z".len() {
        line.pop();
        line.extend_from_slice(b".000Z");
    }
    line.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_depends_on_its_number_alone() {
        let events = |first, count| -> Vec<String> {
            let mut auctions = Auctions::new(1_775_001_553_370, 100, 13, first);
            (0..count)
                .map(|_| {
                    let mut line = Vec::new();
                    auctions.write_next(&mut line);
                    String::from_utf8(line).unwrap()
                })
                .collect()
        };
        let all = events(0, 650);
        assert_eq!(events(177, 23), all[177..200]);
        assert!(all.iter().all(|line| line.len() < LINE_BYTES_MAX));
        let kinds = ["person", "auction", "bid"]
            .map(|kind| all.iter().filter(|line| line.starts_with(&format!("{{\"event_type\":\"{kind}\","))).count());
        assert_eq!(kinds, [13, 39, 598]);
    }
}
