/// The column of each row such that every column is used once and the sum of the costs is least.
///
/// Rows are added one by one; each takes the shortest augmenting path in the costs less the potentials of
/// rows and columns, which stay feasible.
///
/// - Parameters:
///   - costs: row-major, `size` × `size`, finite.
/// - Cost: O(size³): 64 rows take a quarter of a million steps.
/// - Source: Jonker & Volgenant 1987, *A shortest augmenting path algorithm for dense and sparse linear
///   assignment problems*, doi:10.1007/BF02278710.
func linearAssignment(costs: [Double], size: Int) -> [Int] {
  var rowPotential = [Double](repeating: 0, count: size)
  var columnPotential = [Double](repeating: 0, count: size)
  var rowOfColumn = [Int?](repeating: nil, count: size)
  for start in 0..<size {
    // Dijkstra over columns from the new row to the first free column.
    var distance = [Double](repeating: .infinity, count: size)
    var previous = [Int?](repeating: nil, count: size)
    var isDone = [Bool](repeating: false, count: size)
    var reached: [Int] = []
    var row = start, offset = 0.0
    var from: Int?
    var end: Int?
    while end == nil {
      var nearest = 0, least = Double.infinity
      for column in 0..<size where !isDone[column] {
        let cost = costs[row * size + column] - rowPotential[row] - columnPotential[column]
        if offset + cost < distance[column] {
          distance[column] = offset + cost
          previous[column] = from
        }
        if distance[column] < least { (nearest, least) = (column, distance[column]) }
      }
      isDone[nearest] = true
      offset = least
      if let next = rowOfColumn[nearest] {
        reached.append(nearest)
        (row, from) = (next, nearest)
      } else {
        end = nearest
      }
    }
    rowPotential[start] += offset
    for column in reached {
      if let own = rowOfColumn[column] { rowPotential[own] += offset - distance[column] }
      columnPotential[column] -= offset - distance[column]
    }
    // Every column of the path goes to the row of the one before it, the first to the new row.
    while let column = end {
      let before = previous[column]
      rowOfColumn[column] = before.map { rowOfColumn[$0] ?? start } ?? start
      end = before
    }
  }
  var columns = [Int](repeating: 0, count: size)
  for (column, row) in rowOfColumn.enumerated() { if let row { columns[row] = column } }
  return columns
}
