-- Sums of the emissions that are current: not superseded, and of no run in unpublished_runs. Whoever changes which these are adds the difference here in
-- the same transaction. Each grain has the same sums by other columns; those it does not have hold one value in all of its rows: the zero UUID, 0001-01-01,
-- 0 or ''. In a grain that has suppliers, the zero UUID is of emissions without one.
--   1  period (month), category_number, method, dataset_id
--   2  supplier_id
--   3  supplier_id, period (year), category_number, method, dataset_id
-- Postgres keeps each grain for itself, so that whoever reads one whole does not pass the others' rows.
-- low_mg and high_mg are sums of the bounds of each emission's interval, or of its CO2e where it has none. weight is the CO2e without its sign in whole
-- grams, quality the sum of the five indicators times that weight.
CREATE TABLE emission_sums (
    org_id          {{.uuid}} NOT NULL,
    grain           {{.int}} NOT NULL,
    supplier_id     {{.uuid}} NOT NULL,
    period          {{.date}} NOT NULL,
    category_number {{.int}} NOT NULL,
    method          {{.text}} NOT NULL,
    dataset_id      {{.uuid}} NOT NULL,
    co2e_mg         {{.bigint}} NOT NULL,
    biogenic_mg     {{.bigint}} NOT NULL,
    low_mg          {{.bigint}} NOT NULL,
    high_mg         {{.bigint}} NOT NULL,
    spend_micros    {{.bigint}} NOT NULL,
    spend_co2e_mg   {{.bigint}} NOT NULL,
    weight          {{.bigint}} NOT NULL,
    quality         {{.bigint}} NOT NULL,
    emissions       {{.int}} NOT NULL,
    with_spend      {{.int}} NOT NULL,
    with_interval   {{.int}} NOT NULL,
    PRIMARY KEY (org_id, grain, supplier_id, period, category_number, method, dataset_id)
) {{.byGrain}};

CREATE TABLE emission_sums_filling AS
SELECT e.org_id, COALESCE(e.supplier_id, '00000000-0000-0000-0000-000000000000') AS supplier_id, {{.monthOf}} AS month, {{.yearOf}} AS year,
    e.category_number, e.method, e.dataset_id,
    CAST(SUM(e.co2e_mg) AS bigint) AS co2e_mg,
    CAST(SUM(e.biogenic_mg) AS bigint) AS biogenic_mg,
    CAST(SUM(CASE WHEN e.low_mg < e.high_mg THEN e.low_mg WHEN e.high_mg <= e.low_mg THEN e.high_mg ELSE e.co2e_mg END) AS bigint) AS low_mg,
    CAST(SUM(CASE WHEN e.low_mg < e.high_mg THEN e.high_mg WHEN e.high_mg <= e.low_mg THEN e.low_mg ELSE e.co2e_mg END) AS bigint) AS high_mg,
    CAST(COALESCE(SUM(e.spend_micros), 0) AS bigint) AS spend_micros,
    CAST(COALESCE(SUM(CASE WHEN e.spend_micros IS NOT NULL THEN e.co2e_mg END), 0) AS bigint) AS spend_co2e_mg,
    CAST(SUM(ABS(e.co2e_mg / 1000)) AS bigint) AS weight,
    CAST(SUM(ABS(e.co2e_mg / 1000) * (e.quality - 9 * (e.quality / 10 + e.quality / 100 + e.quality / 1000 + e.quality / 10000))) AS bigint) AS quality,
    COUNT(*) AS emissions, COUNT(e.spend_micros) AS with_spend, COUNT(CASE WHEN e.low_mg IS NOT NULL THEN e.high_mg END) AS with_interval
FROM emissions AS e
WHERE NOT e.superseded AND NOT EXISTS (SELECT 1 FROM unpublished_runs AS u WHERE u.org_id = e.org_id AND u.run_id = e.run_id)
GROUP BY 1, 2, 3, 4, 5, 6, 7;

INSERT INTO emission_sums
SELECT org_id, 1, '00000000-0000-0000-0000-000000000000', month, category_number, method, dataset_id,
    SUM(co2e_mg), SUM(biogenic_mg), SUM(low_mg), SUM(high_mg), SUM(spend_micros), SUM(spend_co2e_mg), SUM(weight), SUM(quality),
    SUM(emissions), SUM(with_spend), SUM(with_interval)
FROM emission_sums_filling GROUP BY org_id, month, category_number, method, dataset_id;
INSERT INTO emission_sums
SELECT org_id, 2, supplier_id, '0001-01-01', 0, '', '00000000-0000-0000-0000-000000000000',
    SUM(co2e_mg), SUM(biogenic_mg), SUM(low_mg), SUM(high_mg), SUM(spend_micros), SUM(spend_co2e_mg), SUM(weight), SUM(quality),
    SUM(emissions), SUM(with_spend), SUM(with_interval)
FROM emission_sums_filling GROUP BY org_id, supplier_id;
INSERT INTO emission_sums
SELECT org_id, 3, supplier_id, year, category_number, method, dataset_id,
    SUM(co2e_mg), SUM(biogenic_mg), SUM(low_mg), SUM(high_mg), SUM(spend_micros), SUM(spend_co2e_mg), SUM(weight), SUM(quality),
    SUM(emissions), SUM(with_spend), SUM(with_interval)
FROM emission_sums_filling GROUP BY org_id, supplier_id, year, category_number, method, dataset_id;
DROP TABLE emission_sums_filling;
