#include "participants/inventory/handlers.h"

#include <set>
#include <string>
#include <vector>

#include "engine/wire/json.h"
#include "mall/inventory.pb.h"
#include "mall/inventory_admin.pb.h"
#include "mall/seed.pb.h"
#include "participants/inventory/ledger.h"
#include "participants/inventory/model.h"
#include "participants/kit/dump.h"

namespace skald::mall::inventory {
namespace {

namespace api = ::inventory;
namespace admin = ::inventory::admin;
using kit::Txn;

constexpr std::uint16_t kPort = 9903;
constexpr int kBatchLinesMax = 1'000;

using Rule = Result<Stock> (*)(Stock, const StockChange&);

Result<void> change_stock(Txn& txn, std::int64_t sku_id, const StockChange& change, Rule rule) {
  const auto stock = find_stock(txn, sku_id);
  if (!stock) return fail(Errc::not_found, "sku_id={} unknown", sku_id);
  const auto changed = rule(*stock, change);
  if (!changed) return std::unexpected(changed.error());
  put_stock(txn, *changed);
  return {};
}

template <class Response>
Result<Response> succeeded(Result<void> done) {
  if (!done) return std::unexpected(std::move(done.error()));
  Response response;
  response.set_success(true);
  return response;
}

template <class Request>
StockChange change_of(const Request& request) {
  StockChange change{.quantity = request.quantity()};
  if (request.has_expected_version()) change.expected_version = request.expected_version();
  return change;
}

api::GetStockResponse message_of(const Stock& stock) {
  api::GetStockResponse message;
  message.set_sku_id(stock.sku_id);
  message.set_total(stock.total);
  message.set_available(stock.available);
  message.set_locked(stock.locked);
  message.set_sold(stock.sold);
  message.set_version(stock.version);
  return message;
}

Result<api::GetStockResponse> get_stock(Txn& txn, const api::GetStockRequest& request) {
  const auto stock = find_stock(txn, request.sku_id());
  if (!stock) return fail(Errc::not_found, "sku_id={} unknown", request.sku_id());
  return message_of(*stock);
}

Result<api::DeductStockResponse> deduct_stock(Txn& txn, const api::DeductStockRequest& request) {
  return succeeded<api::DeductStockResponse>(
      change_stock(txn, request.sku_id(), change_of(request), deduct));
}

Result<api::RollbackStockResponse> rollback_stock(Txn& txn,
                                                  const api::RollbackStockRequest& request) {
  return succeeded<api::RollbackStockResponse>(
      change_stock(txn, request.sku_id(), change_of(request), rollback));
}

Result<api::ConfirmStockResponse> confirm_stock(Txn& txn, const api::ConfirmStockRequest& request) {
  return succeeded<api::ConfirmStockResponse>(
      change_stock(txn, request.sku_id(), {.quantity = request.quantity()}, confirm));
}

/// All lines or none; the refusal names every line that is refused. Its code is the worst found:
/// a request that is wrong comes before an unknown SKU, and that before a short one.
template <class Request>
Result<void> change_batch(Txn& txn, const Request& request, Rule rule) {
  if (request.lines().empty()) return fail(Errc::invalid_argument, "lines: empty");
  if (request.lines_size() > kBatchLinesMax) {
    return fail(Errc::invalid_argument, "lines: more than {}", kBatchLinesMax);
  }
  std::set<std::int64_t> seen;
  std::optional<Error> refusal;
  const auto rank = [](Errc code) {
    return code == Errc::invalid_argument ? 2 : code == Errc::not_found ? 1 : 0;
  };
  const auto refuse = [&](Error error) {
    if (!refusal) {
      refusal = std::move(error);
      return;
    }
    if (rank(error.code) > rank(refusal->code)) refusal->code = error.code;
    refusal->message += "; " + error.message;
  };
  for (const auto& line : request.lines()) {
    if (!seen.insert(line.sku_id()).second) {
      refuse({Errc::invalid_argument, fmt::format("sku_id={} twice", line.sku_id())});
      continue;
    }
    auto done = change_stock(txn, line.sku_id(), {.quantity = line.quantity()}, rule);
    if (!done) refuse(std::move(done.error()));
  }
  if (refusal) return std::unexpected(std::move(*refusal));
  return {};
}

Result<api::DeductStockBatchResponse> deduct_batch(Txn& txn,
                                                   const api::DeductStockBatchRequest& request) {
  return succeeded<api::DeductStockBatchResponse>(change_batch(txn, request, deduct));
}

Result<api::RollbackStockBatchResponse> rollback_batch(
    Txn& txn, const api::RollbackStockBatchRequest& request) {
  return succeeded<api::RollbackStockBatchResponse>(change_batch(txn, request, rollback));
}

Result<admin::SeedResponse> seed(Txn& txn, const admin::SeedRequest& request) {
  for (const auto& row : request.stock()) {
    const auto stock = new_stock(row.sku_id(), row.total());
    if (!stock) return std::unexpected(stock.error());
    put_stock(txn, *stock);
  }
  return admin::SeedResponse();
}

Result<admin::DumpResponse> dump(Txn& txn, const admin::DumpRequest& request) {
  admin::DumpResponse response;
  const auto visit = [&response](const kit::Row& row) {
    if (kit::dump_leg(row, *response.mutable_legs())) return;
    if (!row.key.starts_with(kStockPrefix)) return;
    *response.add_stock() = message_of(stock_of(kit::parse_row<::mall::stored::StockRow>(row)));
  };
  response.set_next(kit::visit_rows(txn, request.after(), request.rows_max(), visit));
  return response;
}

Result<void> seed_file(Txn& txn, std::string_view json) {
  ::mall::SeedFile file;
  if (auto parsed = wire::message_from_json(json, file); !parsed) return parsed;
  auto seeded = seed(txn, file.inventory());
  if (!seeded) return std::unexpected(std::move(seeded.error()));
  return {};
}

void install(kit::Host& host) {
  host.query<api::GetStockRequest, api::GetStockResponse>("/inventory.InventoryRpc/GetStock",
                                                          get_stock);
  host.mutation<api::DeductStockRequest, api::DeductStockResponse>(
      "/inventory.InventoryRpc/DeductStock", deduct_stock,
      *succeeded<api::DeductStockResponse>({}));
  host.mutation<api::RollbackStockRequest, api::RollbackStockResponse>(
      "/inventory.InventoryRpc/RollbackStock", rollback_stock,
      *succeeded<api::RollbackStockResponse>({}));
  host.mutation<api::ConfirmStockRequest, api::ConfirmStockResponse>(
      "/inventory.InventoryRpc/ConfirmStock", confirm_stock,
      *succeeded<api::ConfirmStockResponse>({}));
  host.mutation<api::DeductStockBatchRequest, api::DeductStockBatchResponse>(
      "/inventory.InventoryRpc/DeductStockBatch", deduct_batch,
      *succeeded<api::DeductStockBatchResponse>({}));
  host.mutation<api::RollbackStockBatchRequest, api::RollbackStockBatchResponse>(
      "/inventory.InventoryRpc/RollbackStockBatch", rollback_batch,
      *succeeded<api::RollbackStockBatchResponse>({}));
  host.query<admin::DumpRequest, admin::DumpResponse>("/inventory.admin.InventoryAdmin/Dump", dump);
  host.mutation<admin::SeedRequest, admin::SeedResponse>("/inventory.admin.InventoryAdmin/Seed",
                                                         seed);
}

}  // namespace

kit::Service service() {
  return {.name = "inventory", .port = kPort, .install = install, .seed = seed_file};
}

}  // namespace skald::mall::inventory
