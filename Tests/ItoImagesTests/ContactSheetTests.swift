import Testing

@testable import ItoImages

@Suite struct StrokeFontTests {
  @Test func everyPrintableCharacterHasItsOwnGlyph() throws {
    var seen: Set<[UInt8]> = []
    for code in UInt8(33)...126 {
      let character = Character(Unicode.Scalar(code))
      #expect(StrokeFont.strokes[character] != nil, "\(character)")
      var image = PixelImage(width: 32, height: 44, color: .white)
      image.draw(String(character), x: 8, y: 8, size: 3)
      #expect(image.pixels.contains(0), "\(character) has no ink")
      #expect(seen.insert(image.pixels).inserted, "\(character) looks like another")
    }
    #expect(StrokeFont.glyph(of: " ") == nil)
  }

  @Test func everyGlyphIsWellFormed() throws {
    for (character, strokes) in StrokeFont.strokes {
      let glyph = try #require(StrokeFont.glyph(of: character))
      #expect(!glyph.segments.isEmpty, "\(character)")
      for segment in glyph.segments {
        for point in [segment.from, segment.to] {
          #expect(0...6 ~= point.x && -1...8 ~= point.y, "\(character): \(strokes)")
        }
      }
    }
  }

  @Test func stemsAreSharpAtWholeSizes() {
    var image = PixelImage(width: 6, height: 20, color: .white)
    image.draw("I", x: 2, y: 2, size: 2)
    // Row 9 crosses the middle of the stem, two pixels wide.
    #expect((0..<6).map { image[$0, 9] } == [255, 255, 0, 0, 255, 255])
  }

  @Test func textOutsideIsLeftOut() {
    var image = PixelImage(width: 10, height: 10, color: .white)
    let blank = image
    image.draw("far", x: 500, y: 0)
    image.draw("far", x: 0, y: -500)
    image.draw("far", x: -500, y: 500)
    #expect(image == blank)
    image.draw("cut", x: -3, y: 5)
    #expect(image != blank)
  }

  @Test func inkHasTheColorAskedFor() {
    var grey = PixelImage(
      width: 6, height: 20, channels: 1, pixels: [UInt8](repeating: 255, count: 120))
    grey.draw("I", x: 2, y: 2, color: PixelColor(red: 255, green: 0, blue: 0))
    #expect(grey[2, 9] == 76)
    var clear = PixelImage(
      width: 6, height: 20, channels: 4, pixels: [UInt8](repeating: 0, count: 480))
    clear.draw("I", x: 2, y: 2, color: PixelColor(red: 9, green: 8, blue: 7))
    #expect((0..<4).map { clear[2, 9, $0] } == [9, 8, 7, 255])
    #expect(clear[0, 9, 3] == 0)
  }

  @Test func longTextsAreCutShort() {
    let font = StrokeFont(size: 2)
    #expect(font.fitted("short", to: 500) == "short")
    let cut = font.fitted("a rather long caption", to: 80)
    #expect(cut.hasSuffix("…") && cut.hasPrefix("a r"))
    #expect(font.width(of: cut) <= 80)
    #expect(font.width(of: "") == 0)
  }

  @Test func textSizeCoversTheInk() {
    let text = "Sampling: 7.5 (Euler)"
    let size = PixelImage.textSize(text, size: 2)
    var image = PixelImage(width: size.width + 8, height: 40, color: .white)
    image.draw(text, x: 4, y: 8, size: 2)
    for y in 0..<40 {
      for x in [0, 1, 2, size.width + 5, size.width + 6] { #expect(image[x, y] == 255) }
    }
  }
}

@Suite struct ContactSheetTests {
  private func picture(_ value: UInt8) -> PixelImage {
    PixelImage(width: 28, height: 28, color: PixelColor(grey: value))
  }

  @Test func picturesAreEnlargedAndPlacedInOrder() {
    var sheet = ContactSheet(columns: 2)
    sheet.enlargement = 1
    sheet.spacing = 4
    let drawn = sheet.draw([picture(10), picture(20), picture(30)])
    // Margins of 8, two cells of 28 and a gap of 4.
    #expect(drawn.width == 8 + 28 + 4 + 28 + 8 && drawn.height == drawn.width)
    #expect(drawn[8, 8] == 10 && drawn[35, 35] == 10 && drawn[36, 8] == 252)
    #expect(drawn[40, 8] == 20 && drawn[8, 40] == 30 && drawn[40, 40] == 252)
    sheet.enlargement = nil
    #expect(sheet.draw([picture(10)]).width == 4 * 28 + 2 * 16)
  }

  @Test func everyLabelLeavesInkWhereItBelongs() {
    let pictures = (0..<6).map { _ in picture(252) }
    let bare = ContactSheet(columns: 3).draw(pictures)
    #expect(Set(bare.pixels) == [252])
    func ink(_ change: (inout ContactSheet) -> Void) -> (x: ClosedRange<Int>, y: ClosedRange<Int>)?
    {
      var sheet = ContactSheet(columns: 3)
      change(&sheet)
      let image = sheet.draw(pictures)
      let dark = (0..<image.width * image.height).filter { image.pixels[3 * $0] < 200 }
      guard let top = dark.first, let bottom = dark.last else { return nil }
      let columns = dark.map { $0 % image.width }
      return (columns.min()!...columns.max()!, top / image.width...bottom / image.width)
    }
    let title = ink { $0.title = "Headline" }
    let rows = ink { $0.rowLabels = ["row", "other"] }
    let columns = ink { $0.columnLabels = ["a", "b", "c"] }
    let captions = ink { $0.captions = ["1", "2", "3", "4", "5", "6"] }
    #expect(title != nil && title!.y.upperBound < 60)
    #expect(rows != nil && rows!.x.upperBound < 80 && rows!.y.count > 100)
    #expect(columns != nil && columns!.y.upperBound < 40 && columns!.x.count > 200)
    #expect(captions != nil && captions!.y.lowerBound > 112 && captions!.x.count > 200)
  }

  @Test func mixedSizesAndChannelsAreCentred() {
    var sheet = ContactSheet(columns: 2)
    sheet.enlargement = 1
    let small = PixelImage(width: 2, height: 2, channels: 1, pixels: [5, 5, 5, 5])
    let clear = PixelImage(
      width: 10, height: 4, channels: 4, pixels: [UInt8](repeating: 0, count: 160))
    let drawn = sheet.draw([small, clear])
    #expect(drawn[8 + 4, 8 + 1] == 5 && drawn[8 + 3, 8 + 1] == 252)
    #expect(Set(drawn.pixels) == [5, 252])
  }

  @Test(
    "a caption takes as many lines as it needs, up to a number, and every row makes room for them")
  func longCaptions() {
    let font = StrokeFont(size: 2)
    let text = "a red heart on a blue background"
    let lines = font.lines(of: text, width: 130, count: 3)
    #expect(lines.count > 1 && lines.joined(separator: " ") == text)
    #expect(lines.allSatisfy { font.width(of: $0) <= 130 })
    let cut = font.lines(of: "one two three four five six seven eight", width: 60, count: 3)
    #expect(cut.count == 3 && cut[2].hasSuffix("…") && font.width(of: cut[2]) <= 60)
    #expect(font.lines(of: "", width: 60, count: 3) == [""])
    #expect(font.lines(of: "unbreakable", width: 30, count: 3).count == 1)
    var sheet = ContactSheet(columns: 2)
    sheet.captions = ["short", "short", "short", "short"]
    let low = sheet.draw([picture(0), picture(1), picture(2), picture(3)])
    sheet.captions[0] = "a caption of several words that needs more than one line"
    let high = sheet.draw([picture(0), picture(1), picture(2), picture(3)])
    #expect(high.width == low.width && high.height > low.height)
  }

  @Test func tooFewPicturesAndTooManyLabelsAreFine() {
    var sheet = ContactSheet(columns: 10)
    sheet.title = "A headline much wider than the single picture under it"
    sheet.rowLabels = ["one", "two", "three"]
    sheet.columnLabels = (0..<20).map { "column \($0)" }
    sheet.captions = (0..<20).map { "caption \($0)" }
    let drawn = sheet.draw([picture(0)])
    #expect(drawn.width < 600)
  }
}
