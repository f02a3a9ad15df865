-- What the publication of a run adds to emission_sums, on its way there: it has the columns of emission_sums, and is empty but within that transaction.
CREATE TABLE run_sums (
    org_id          {{.uuid}} NOT NULL,
    run_id          {{.uuid}} NOT NULL,
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
    PRIMARY KEY (org_id, run_id, grain, supplier_id, period, category_number, method, dataset_id)
);
