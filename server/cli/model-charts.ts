import { BarChart, LineChart, ScatterChart } from 'echarts/charts';
import { GridComponent, LegendComponent, MarkLineComponent, TitleComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import type { Survey } from '../../engine/model/survey';
import { checkPanel, eventPanel, overheadPanel, variationPanel, type Panel } from './model-panels';

use([BarChart, LineChart, ScatterChart, GridComponent, LegendComponent, MarkLineComponent, TitleComponent, SVGRenderer]);

const width = 1440;
const margin = { left: 90, right: 40, top: 96, bottom: 56 };
const gap = 90;

/** A panel, and how much of the width it has. */
type Row = { panel: Panel; share: number }[];

/** All charts of a survey as one SVG document. */
export function drawSurvey(survey: Survey): string {
  const small = [...survey.variations.map((variation) => variationPanel(variation)), checkPanel(survey)];
  const rows: { height: number; panels: Row }[] = [
    { height: 480, panels: [{ panel: overheadPanel(survey), share: 1 }] },
    { height: 390, panels: [{ panel: eventPanel(survey), share: 1 }] },
    ...threes(small).map((panels) => ({ height: 390, panels: panels.map((panel) => ({ panel, share: 1 / 3 })) })),
  ];
  const height = rows.reduce((sum, row) => sum + row.height, 0) + 20;
  const placed = rows.flatMap(({ height: rowHeight, panels }, number) => {
    const top = rows.slice(0, number).reduce((sum, row) => sum + row.height, 0);
    let left = 0;
    return panels.map(({ panel, share }) => {
      const box = { left, top, width: width * share, height: rowHeight };
      left += box.width;
      return { panel, box };
    });
  });

  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    chart.setOption({
      animation: false,
      backgroundColor: '#ffffff',
      textStyle: { fontFamily: 'system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif', color: '#1f2933' },
      title: placed.map(({ panel, box }) => ({
        text: panel.title,
        subtext: panel.subtitle,
        left: box.left + 24,
        top: box.top + 16,
        itemGap: 6,
        textStyle: { fontSize: 17, fontWeight: 600, color: '#1f2933' },
        subtextStyle: { fontSize: 12.5, color: '#52606d' },
      })),
      legend: placed.flatMap(({ panel, box }) => (panel.legend
        ? [{ data: panel.legend, left: box.left + 24, top: box.top + 66, width: panel.wideLegend ? width - 60 : box.width - 60, itemWidth: 14, itemHeight: 10, itemGap: 16, textStyle: { fontSize: 12, color: '#323f4b' } }]
        : [])),
      grid: placed.map(({ panel, box }) => ({
        left: box.left + (panel.left ?? margin.left),
        top: box.top + margin.top + (panel.legendLines ?? 0) * 22,
        width: box.width - (panel.left ?? margin.left) - margin.right - (panel.right ?? 0),
        height: box.height - margin.top - (panel.legendLines ?? 0) * 22 - margin.bottom - (box.width < width ? 0 : gap - margin.bottom - 20),
      })),
      xAxis: placed.map(({ panel }, gridIndex) => ({ gridIndex, ...panel.x })),
      yAxis: placed.map(({ panel }, gridIndex) => ({ gridIndex, ...panel.y })),
      series: placed.flatMap(({ panel }, index) => panel.series.map((series) => ({ xAxisIndex: index, yAxisIndex: index, ...series }))),
    });
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}

function threes<Value>(values: readonly Value[]): Value[][] {
  return values.flatMap((_, index) => (index % 3 === 0 ? [values.slice(index, index + 3)] : []));
}
