-- tables
CREATE TABLE events (
    event_type STRING, id BIGINT, name STRING, email_address STRING, credit_card STRING, city STRING, state STRING,
    item_name STRING, description STRING, initial_bid BIGINT, reserve BIGINT, expires TIMESTAMP_LTZ(3), seller BIGINT, category BIGINT,
    auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING, date_time TIMESTAMP_LTZ(3), extra STRING,
    WATERMARK FOR date_time AS date_time - INTERVAL '4' SECOND
) WITH ('connector' = 'filesystem', 'path' = 'FOLDER', 'format' = 'json', 'json.timestamp-format.standard' = 'ISO-8601');
CREATE VIEW person AS
    SELECT id, name, email_address, credit_card, city, state, date_time, extra FROM events WHERE event_type = 'person';
CREATE VIEW auction AS
    SELECT id, item_name, description, initial_bid, reserve, date_time, expires, seller, category, extra
    FROM events WHERE event_type = 'auction';
CREATE VIEW bid AS
    SELECT auction, bidder, price, channel, url, date_time, extra FROM events WHERE event_type = 'bid';

-- q0
SELECT auction, bidder, price, date_time, extra FROM bid;

-- q1
SELECT auction, bidder, 0.908 * price AS price, date_time, extra FROM bid;

-- q2
SELECT auction, price FROM bid WHERE MOD(auction, 123) = 0;

-- q3
SELECT p.name, p.city, p.state, a.id FROM auction AS a JOIN person AS p ON a.seller = p.id
WHERE a.category = 10 AND p.state IN ('OR', 'ID', 'CA');

-- q5
WITH counts AS (
    SELECT auction, COUNT(*) AS num, window_start, window_end
    FROM TABLE(HOP(TABLE bid, DESCRIPTOR(date_time), INTERVAL '2' SECOND, INTERVAL '10' SECOND))
    GROUP BY auction, window_start, window_end),
most AS (SELECT MAX(num) AS num, window_start, window_end FROM counts GROUP BY window_start, window_end)
SELECT c.auction, c.num FROM counts AS c JOIN most AS m
    ON c.window_start = m.window_start AND c.window_end = m.window_end AND c.num = m.num;

-- q7
WITH highest AS (
    SELECT MAX(price) AS price, window_time AS last_ms
    FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(date_time), INTERVAL '10' SECOND))
    GROUP BY window_start, window_end, window_time)
SELECT b.auction, b.price, b.bidder, b.date_time, b.extra FROM bid AS b JOIN highest AS h ON b.price = h.price
    AND b.date_time BETWEEN h.last_ms - INTERVAL '9.999' SECOND AND h.last_ms + INTERVAL '0.001' SECOND;

-- q7 without time
WITH highest AS (
    SELECT MAX(price) AS price, window_start, window_end
    FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(date_time), INTERVAL '10' SECOND))
    GROUP BY window_start, window_end)
SELECT b.auction, b.price, b.bidder, b.date_time, b.extra FROM bid AS b JOIN highest AS h ON b.price = h.price
    AND b.date_time BETWEEN h.window_start AND h.window_end;

-- q8
SELECT p.id, p.name, p.window_start AS stime
FROM (SELECT * FROM TABLE(TUMBLE(TABLE person, DESCRIPTOR(date_time), INTERVAL '10' SECOND))) AS p
WHERE p.id IN (
    SELECT a.seller FROM TABLE(TUMBLE(TABLE auction, DESCRIPTOR(date_time), INTERVAL '10' SECOND)) AS a
    WHERE a.window_start = p.window_start AND a.window_end = p.window_end);

-- q11
SELECT bidder, COUNT(*) AS bid_count, window_start AS starttime, window_end AS endtime
FROM TABLE(SESSION(TABLE bid PARTITION BY bidder, DESCRIPTOR(date_time), INTERVAL '10' SECOND))
GROUP BY bidder, window_start, window_end;

-- q18
SELECT auction, bidder, price, channel, url, date_time, extra
FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY bidder, auction ORDER BY date_time DESC) AS number FROM bid) WHERE number = 1;

-- q19
SELECT auction, bidder, price, channel, url, date_time, extra, rank_number
FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY auction ORDER BY price DESC) AS rank_number FROM bid) WHERE rank_number <= 10;

-- q20
SELECT b.auction, b.bidder, b.price, b.channel, b.url, b.date_time AS bid_date_time, b.extra AS bid_extra, a.item_name, a.description,
    a.initial_bid, a.reserve, a.date_time AS auction_date_time, a.expires, a.seller, a.category, a.extra AS auction_extra
FROM bid AS b JOIN auction AS a ON b.auction = a.id WHERE a.category = 10;
