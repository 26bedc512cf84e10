public import ItoComponents
import ItoTensors

extension CheckpointSummary {
  /// The summary for programs: all of it, tensors and configuration included.
  public var json: JSONValue {
    var object: JSONObject = ["path": .string(path), "format": .string(format)]
    object["class"] = className.map { .string($0) }
    if !tensors.isEmpty || components.isEmpty && configuration == nil {
      object["parameters"] = .integer(Int64(scalarCount))
      object["bytes"] = .integer(Int64(byteCount))
      object["types"] = .array(
        types.map {
          [
            "type": .string($0.type), "tensors": .integer(Int64($0.tensors)),
            "parameters": .integer(Int64($0.scalars)),
          ]
        })
      object["tensors"] = .array(
        tensors.map {
          [
            "name": .string($0.name), "type": .string($0.type),
            "shape": .array($0.shape.dims.map { .integer(Int64($0)) }),
            "bytes": .integer(Int64($0.byteCount)),
          ]
        })
    }
    if !metadata.isEmpty {
      let sorted = metadata.sorted { $0.key < $1.key }
      object["metadata"] = .object(JSONObject(sorted.map { ($0.key, .string($0.value)) }))
    }
    object["configuration"] = configuration
    if !components.isEmpty {
      object["components"] = .array(
        components.map { component in
          var part: JSONObject = [
            "name": .string(component.name), "class": .string(component.className),
          ]
          part["summary"] = component.summary?.json
          part["problem"] = component.problem.map { .string($0) }
          return .object(part)
        })
    }
    return .object(object)
  }

  /// The summary for people.
  ///
  /// - Parameter listsTensors: also a line for every tensor.
  public func text(listsTensors: Bool = true) -> String {
    var rows = [["format", format]]
    if let className { rows.append(["class", className]) }
    if !tensors.isEmpty {
      rows.append(["parameters", "\(grouped(scalarCount)) in \(grouped(tensors.count)) tensors"])
      rows.append(["size", size(byteCount)])
      for type in types {
        rows.append(["type", "\(type.type)  \(grouped(type.scalars)) in \(type.tensors) tensors"])
      }
    }
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
      rows.append(["metadata", "\(key) = \(shortened(value))"])
    }
    for component in components {
      var line = component.className
      if let summary = component.summary, !summary.tensors.isEmpty {
        line += "  \(grouped(summary.scalarCount)) parameters, \(size(summary.byteCount))"
      }
      if let problem = component.problem { line += "  (\(problem))" }
      rows.append([component.name, line])
    }
    var lines = [printable(path)] + aligned(rows).map { "  " + $0 }
    if listsTensors && !tensors.isEmpty {
      lines.append("")
      lines += aligned(tensors.map { [printable($0.name), $0.type, $0.shape.description] })
    }
    if let members = configuration?.object, components.isEmpty {
      lines.append("")
      lines += aligned(members.map { [$0.key, shortened($0.value.text())] }).map { "  " + $0 }
    }
    return lines.joined(separator: "\n")
  }
}

/// Columns padded to their widest cell.
private func aligned(_ rows: [[String]]) -> [String] {
  var widths: [Int] = []
  for row in rows {
    for (i, cell) in row.enumerated() {
      if i == widths.count { widths.append(0) }
      widths[i] = max(widths[i], cell.count)
    }
  }
  return rows.map { row in
    row.enumerated().map { i, cell in
      i == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[i] - cell.count)
    }.joined(separator: "  ")
  }
}

/// `1234567` as `1,234,567`.
private func grouped(_ number: Int) -> String {
  let digits = Array(String(number))
  return digits.indices.map { i in
    (i > 0 && (digits.count - i) % 3 == 0 ? "," : "") + String(digits[i])
  }.joined()
}

/// `3.44 GB`: three digits and a decimal unit.
private func size(_ bytes: Int) -> String {
  var value = Double(bytes)
  var units = ["bytes", "kB", "MB", "GB", "TB"][...]
  while value >= 999.5, units.count > 1 {
    value /= 1000
    units.removeFirst()
  }
  let unit = units.first ?? ""
  if unit == "bytes" { return "\(bytes) bytes" }
  let scale = value < 9.995 ? 100.0 : value < 99.95 ? 10.0 : 1.0
  let digits = (value * scale).rounded() / scale
  return scale == 1 ? "\(Int(digits)) \(unit)" : "\(digits) \(unit)"
}

/// Text from a file made safe for a terminal.
private func printable(_ text: String) -> String {
  String(
    String.UnicodeScalarView(
      text.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? "?" : $0 }))
}

private func shortened(_ text: String) -> String {
  let line = printable(text)
  return line.count <= 100 ? line : line.prefix(97) + "..."
}
